// The networks that read a digit in the page: helpers/networks/{mlp,lenet,vit}.py in JavaScript.
//
// Plain loops, and the forward pass alone. A tensor is {shape, data}, its numbers in one flat
// array, the last index running fastest; maps are {channels, size, data}. A layer is what
// `layer(name)` returns: its weight and its bias.
//
// This and the scripts beside it are classic ones that share the one name `Digit`, and the weights
// are text in a script: into a page that is opened from a folder (file://) a browser loads neither
// a module nor data, be it by fetch or from the pixels of a picture.

"use strict";
window.Digit ??= {};

(() => {
  // ------------------------------------------------------------------------------ layers

  // [I] -> [O], with a weight [O, I].
  function dense({ weight, bias }, x) {
    const [outputs, inputs] = weight.shape;
    const y = new Float64Array(outputs);
    for (let o = 0; o < outputs; o++) {
      let sum = bias.data[o];
      for (let i = 0; i < inputs; i++) sum += weight.data[o * inputs + i] * x[i];
      y[o] = sum;
    }
    return y;
  }

  // [C, S, S] -> [O, S', S'] with S' = S + 2 padding - K + 1, and a weight [O, C, K, K].
  function convolution({ weight, bias }, { channels: C, size: S, data }, padding = 0) {
    const [O, , K] = weight.shape;
    const size = S + 2 * padding - K + 1;
    const maps = { channels: O, size, data: new Float64Array(O * size * size) };
    for (let o = 0; o < O; o++)
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++) {
          let sum = bias.data[o];
          for (let c = 0; c < C; c++)
            for (let i = 0; i < K; i++)
              for (let j = 0; j < K; j++) {
                const [y, x] = [row + i - padding, column + j - padding];
                if (y < 0 || y >= S || x < 0 || x >= S) continue; // zeros all around
                sum += weight.data[((o * C + c) * K + i) * K + j] * data[(c * S + y) * S + x];
              }
          maps.data[(o * size + row) * size + column] = sum;
        }
    return maps;
  }

  // [C, S, S] -> [C, S/2, S/2]: the largest of each 2×2.
  function maxPool({ channels, size: S, data }) {
    const size = S / 2;
    const maps = { channels, size, data: new Float64Array(channels * size * size) };
    for (let c = 0; c < channels; c++)
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++) {
          const at = (c * S + 2 * row) * S + 2 * column;
          const four = [data[at], data[at + 1], data[at + S], data[at + S + 1]];
          maps.data[(c * size + row) * size + column] = Math.max(...four);
        }
    return maps;
  }

  const relu = (x) => x.map((value) => Math.max(value, 0));

  const reluMaps = (maps) => ({ ...maps, data: relu(maps.data) });

  const add = (x, y) => x.map((value, i) => value + y[i]);

  // Abramowitz and Stegun (1964), formula 7.1.26: wrong by 1.5e-7 at most.
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
    const sum = series.reduce((sum, coefficient) => (sum + coefficient) * t, 0);
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  }

  const gelu = (x) => x.map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2)));

  function softmax(scores) {
    const largest = Math.max(...scores);
    const exponentials = scores.map((score) => Math.exp(score - largest)); // cannot overflow
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    return exponentials.map((value) => value / total);
  }

  function layerNorm({ weight, bias }, x) {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    const deviation = Math.sqrt(variance + 1e-5);
    return x.map((value, i) => ((value - mean) / deviation) * weight.data[i] + bias.data[i]);
  }

  // Tokens [T, D] -> tokens [T, D], and the attention weights [h, T, T], whose rows sum to 1.
  function attention(layer, heads, tokens) {
    const D = tokens[0].length;
    const d = D / heads;
    const qkv = tokens.map((token) => dense(layer("qkv"), token)); // queries, keys, values [T, 3 D]
    const mixed = tokens.map(() => new Float64Array(D));
    const weights = [];
    for (let first = 0; first < D; first += d) { // one head after the other
      weights.push(qkv.map((query, t) => {
        const scores = qkv.map((key) => {
          let score = 0;
          for (let i = first; i < first + d; i++) score += query[i] * key[D + i];
          return score / Math.sqrt(d);
        });
        const row = softmax(scores);
        row.forEach((share, other) => {
          for (let i = first; i < first + d; i++) mixed[t][i] += share * qkv[other][2 * D + i];
        });
        return row;
      }));
    }
    return { weights, tokens: mixed.map((token) => dense(layer("output"), token)) };
  }

  // ---------------------------------------------------------------------------- networks

  // Pixels are 784 numbers from 0, paper, to 255, ink.

  function mlp({ layer }, pixels) {
    const hidden = relu(dense(layer("0"), pixels.map((pixel) => pixel / 255)));
    return { logits: dense(layer("1"), hidden), hidden };
  }

  const centred = (pixels) => pixels.map((pixel) => pixel / 127.5 - 1);

  function lenet({ layer }, pixels) {
    const image = { channels: 1, size: 28, data: centred(pixels) };
    const first = reluMaps(convolution(layer("features.0"), image, 2)); // [6, 28, 28]
    const second = reluMaps(convolution(layer("features.3"), maxPool(first))); // [16, 10, 10]
    const flat = maxPool(second).data; // [400]
    const third = relu(dense(layer("classifier.1"), flat)); // [120]
    const fourth = relu(dense(layer("classifier.3"), third)); // [84]
    return { logits: dense(layer("classifier.5"), fourth), first, second, third, fourth };
  }

  // [28, 28] -> [N, p p]: squares, row by row.
  function squarePatches(image, side) {
    const patches = [];
    for (let top = 0; top < 28; top += side)
      for (let left = 0; left < 28; left += side) {
        const patch = new Float64Array(side * side);
        for (let i = 0; i < side; i++)
          for (let j = 0; j < side; j++) patch[i * side + j] = image[(top + i) * 28 + left + j];
        patches.push(patch);
      }
    return patches;
  }

  function vit({ layer, tensors, heads, depth }, pixels) {
    const side = Math.sqrt(layer("patch_embed").weight.shape[1]);
    const patches = squarePatches(centred(pixels), side);
    const embedded = patches.map((patch) => dense(layer("patch_embed"), patch));
    const all = [Float64Array.from(tensors.class_token.data), ...embedded]; // [1 + N, D]
    const D = all[0].length;
    let tokens = all.map((token, t) =>
      add(token, tensors.positions.data.subarray(t * D, (t + 1) * D)));
    let weights;
    for (let number = 0; number < depth; number++) {
      const of = (name) => layer(`layers.${number}.${name}`);
      const normal = tokens.map((token) => layerNorm(of("norm1"), token));
      const looked = attention((name) => of(`attention.${name}`), heads, normal);
      weights = looked.weights; // of the last layer in the end
      tokens = tokens.map((token, t) => add(token, looked.tokens[t]));
      tokens = tokens.map((token) => {
        const hidden = gelu(dense(of("fc1"), layerNorm(of("norm2"), token)));
        return add(token, dense(of("fc2"), hidden));
      });
    }
    const logits = dense(layer("classifier"), layerNorm(layer("norm"), tokens[0]));
    // What the class token takes from each patch, [h, N].
    return { logits, attention: weights.map((head) => Array.from(head[0]).slice(1)) };
  }

  // ----------------------------------------------------------------------------- weights

  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  // A matrix is whole numbers from -127 to 127 and a scale for each of its rows; the rest is as is.
  function unpack({ shape, floats, integers }) {
    const numbers = new Float32Array(bytes(floats).buffer);
    if (!integers) return { shape, data: numbers };
    const whole = new Int8Array(bytes(integers).buffer);
    const row = whole.length / numbers.length;
    const data = Float32Array.from(whole, (n, i) => n * numbers[Math.floor(i / row)]);
    return { shape, data };
  }

  function load({ tensors: packed, ...sizes }) {
    const entries = Object.entries(packed).map(([name, tensor]) => [name, unpack(tensor)]);
    const tensors = Object.fromEntries(entries);
    const layer = (name) => ({ weight: tensors[`${name}.weight`], bias: tensors[`${name}.bias`] });
    return { tensors, layer, ...sizes };
  }

  const FORWARD = { mlp, lenet, vit };
  const loaded = {};

  // Let a network, "mlp", "lenet" or "vit", read 784 pixels.
  Digit.read = (name, pixels) => {
    loaded[name] ??= load(Digit.networks[name]);
    const found = FORWARD[name](loaded[name], Float64Array.from(pixels));
    return { ...found, probabilities: softmax(found.logits) };
  };

  Digit.bytes = bytes;
})();
