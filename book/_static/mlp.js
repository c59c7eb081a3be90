// A feed-forward network with back-propagation by hand: helpers/networks/mlp.py in JavaScript.
// In each layer, and in the loss, `backward` stands right below `forward` and is its derivative.
// A matrix [B, H] is a Float64Array, row after row; who reads it knows how many columns it has.
// Shapes: B examples in a batch, D inputs, H units, K classes.
// This and the scripts beside it are classic ones, loaded with `defer`, that share the one name
// `Play`: a browser loads no module into a page that is opened from a folder (file://).

"use strict";
window.Play ??= {};

(() => {
  // z = x W + b, with a weight [D, H] and a bias [H].
  class Dense {
    constructor(weight, bias) {
      [this.weight, this.bias] = [weight, bias];
      [this.inputs, this.outputs] = [weight.length / bias.length, bias.length];
      this.zeroGradients();
    }

    zeroGradients() {
      this.dWeight = new Float64Array(this.weight.length);
      this.dBias = new Float64Array(this.bias.length);
    }

    forward(x) {
      const { weight, bias, inputs: D, outputs: H } = this;
      const B = x.length / D;
      const z = new Float64Array(B * H);
      for (let n = 0; n < B; n++) {
        for (let h = 0; h < H; h++) {
          let sum = bias[h];
          for (let d = 0; d < D; d++) sum += x[n * D + d] * weight[d * H + h];
          z[n * H + h] = sum;
        }
      }
      [this.x, this.z] = [x, z];
      return z;
    }

    backward(dZ) {
      const { x, weight, dWeight, dBias, inputs: D, outputs: H } = this;
      const dX = new Float64Array(x.length);
      for (let n = 0; n < x.length / D; n++) {
        for (let h = 0; h < H; h++) {
          const slope = dZ[n * H + h];
          dBias[h] += slope;
          for (let d = 0; d < D; d++) {
            dWeight[d * H + h] += x[n * D + d] * slope;
            dX[n * D + d] += slope * weight[d * H + h];
          }
        }
      }
      return dX;
    }
  }

  // a = f(z), unit by unit.
  class Elementwise {
    constructor([value, derivative]) {
      Object.assign(this, { value, derivative });
    }

    forward(z) {
      this.z = z;
      return (this.a = z.map((each) => this.value(each)));
    }

    backward(dA) {
      return dA.map((slope, i) => slope * this.derivative(this.z[i], this.a[i]));
    }
  }

  // Puts each example's units into the order that sorts them (sort), or what an earlier layer
  // gave (permute). The order itself has no derivative.
  class Reorder {
    constructor(width, before = null) {
      [this.width, this.before] = [width, before];
    }

    forward(z) {
      const keys = this.before ? this.before.z : z;
      const order = (this.order = new Int32Array(z.length));
      for (let start = 0; start < z.length; start += this.width) {
        for (let i = 0; i < this.width; i++) {
          let place = start + i; // the first i units stand in order: move the next one down
          for (; place > start && keys[order[place - 1]] > keys[start + i]; place--)
            order[place] = order[place - 1];
          order[place] = start + i;
        }
      }
      return (this.a = z.map((_, i) => z[order[i]]));
    }

    backward(dA) {
      const dZ = new Float64Array(dA.length);
      dA.forEach((slope, i) => (dZ[this.order[i]] = slope));
      return dZ;
    }
  }

  const sigmoid = (z) => 0.5 * (1 + Math.tanh(0.5 * z)); // unlike exp(-z), tanh cannot overflow
  const [C, ROOT] = [0.044715, Math.sqrt(2 / Math.PI)]; // GELU as Hendrycks and Gimpel (2016)
  const bend = (z) => Math.tanh(ROOT * (z + C * z ** 3)); // approximate it

  // Each is a = f(z) and its derivative, which may use both z and a.
  const ELEMENTWISE = {
    linear: [(z) => z, () => 1],
    tanh: [Math.tanh, (z, a) => 1 - a * a],
    sigmoid: [sigmoid, (z, a) => a * (1 - a)],
    ReLU: [(z) => Math.max(z, 0), (z, a) => (a > 0 ? 1 : 0)],
    GELU: [
      (z) => 0.5 * z * (1 + bend(z)),
      (z) => 0.5 * (1 + bend(z) + z * (1 - bend(z) ** 2) * ROOT * (1 + 3 * C * z * z)),
    ],
    SiLU: [(z) => z * sigmoid(z), (z, a) => sigmoid(z) + a * (1 - sigmoid(z))],
    abs: [Math.abs, Math.sign],
    square: [(z) => z * z, (z) => 2 * z],
    exp: [Math.exp, (z, a) => a],
    sin: [Math.sin, Math.cos],
    cos: [Math.cos, (z) => -Math.sin(z)],
    tan: [Math.tan, (z, a) => 1 + a * a],
    reciprocal: [(z) => 1 / z, (z, a) => -a * a],
    sgn: [Math.sign, () => 0],
  };

  // Cross-entropy of the softmax of the scores: L = log(sum_k exp(s_k)) - s_y.
  class SoftmaxCrossEntropy {
    forward(scores, labels) {
      const K = scores.length / labels.length;
      [this.labels, this.probabilities] = [labels, new Float64Array(scores.length)];
      return Float64Array.from(labels, (y, n) => {
        const row = scores.subarray(n * K, (n + 1) * K);
        const largest = Math.max(...row); // taken off, so that exp cannot overflow
        const exp = row.map((score) => Math.exp(score - largest));
        const total = exp.reduce((sum, each) => sum + each);
        this.probabilities.set(exp.map((each) => each / total), n * K);
        return Math.log(total) - (row[y] - largest);
      });
    }

    backward() {
      const K = this.probabilities.length / this.labels.length;
      const dScores = this.probabilities.slice();
      this.labels.forEach((y, n) => (dScores[n * K + y] -= 1));
      return dScores; // p - y, with y the one-hot label
    }
  }

  class Network {
    constructor(layers) {
      this.layers = layers;
      this.dense = layers.filter((layer) => layer instanceof Dense);
    }

    forward(x) {
      return this.layers.reduce((values, layer) => layer.forward(values), x);
    }

    backward(dScores) {
      this.layers.reduceRight((slopes, layer) => layer.backward(slopes), dScores);
    }

    // The mean loss of a batch, and the share of its labels that have the highest score.
    evaluate(x, labels) {
      const scores = this.forward(x);
      const [B, K] = [labels.length, scores.length / labels.length];
      const total = new SoftmaxCrossEntropy().forward(scores, labels).reduce((a, b) => a + b, 0);
      const highest = (row) => row.indexOf(Math.max(...row));
      const right = labels.filter((y, n) => y === highest(scores.subarray(n * K, (n + 1) * K)));
      return { loss: total / B, accuracy: right.length / B };
    }

    // One step of gradient descent on the mean loss + λ/2 ‖W‖².
    step(x, labels, learningRate, weightDecay = 0) {
      for (const layer of this.dense) layer.zeroGradients();
      const loss = new SoftmaxCrossEntropy();
      loss.forward(this.forward(x), labels);
      this.backward(loss.backward().map((slope) => slope / labels.length));
      for (const { weight, bias, dWeight, dBias } of this.dense) {
        weight.forEach((w, i) => (weight[i] -= learningRate * (dWeight[i] + weightDecay * w)));
        bias.forEach((b, i) => (bias[i] -= learningRate * dBias[i]));
      }
    }
  }

  // Builds a network from pairs of weight and bias, and the activations between them.
  function network(parameters, activations) {
    const layers = [];
    parameters.forEach(([weight, bias], i) => {
      layers.push(new Dense(Float64Array.from(weight), Float64Array.from(bias)));
      const name = activations[i];
      if (name === "sort") layers.push(new Reorder(bias.length));
      else if (name === "permute") layers.push(new Reorder(bias.length, layers[0]));
      else if (name) layers.push(new Elementwise(ELEMENTWISE[name]));
    });
    return new Network(layers);
  }

  Object.assign(Play, { ACTIVATIONS: [...Object.keys(ELEMENTWISE), "sort", "permute"], network });
})();
