// The playground's plane: points in it, of four shapes or the reader's own, and pictures of it.
//
// A point is a triple of x₁, x₂ and its class, 0 or 1. The plane is 5.2 wide and 3.7 high, around
// 0: the one of practice 1, moved so that the half-moons lie in its middle.

"use strict";
window.Play ??= {};

(() => {
  const [WIDTH, HEIGHT] = [5.2, 3.7];
  const [COLUMNS, ROWS] = [130, 92]; // in which it is painted
  const MOST = 400; // points of the reader's own

  // Random numbers from 0 to 1 (mulberry32), and normal ones from those (Box and Muller).
  function uniform(seed) {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let bits = Math.imul(state ^ (state >>> 15), 1 | state);
      bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
      return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
    };
  }
  const normal = (random) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

  // Where a point of class k lies, before noise is added; t goes from 0 to 1.
  const SHAPES = {
    moons: (k, t) => {
      const point = [Math.cos(Math.PI * t) - 0.5, Math.sin(Math.PI * t) - 0.25];
      return k ? point.map((each) => -each) : point;
    },
    circles: (k, t) => around(k ? 0.6 : 1.4, 2 * Math.PI * t),
    xor: (k, t, random) => {
      const side = random() < 0.5 ? -1 : 1;
      return [1.5 * side * random(), 1.5 * (k ? -side : side) * random()];
    },
    spirals: (k, t) => around(0.2 + 1.4 * t, Math.PI * (2 * t + k)),
  };
  const around = (radius, angle) => [radius * Math.cos(angle), radius * Math.sin(angle)];

  // Draws points, as triples of x₁, x₂ and the class.
  function draw(shape, count, noise, random) {
    return Array.from({ length: count }, (_, i) => {
      const [k, t] = [i % 2, Math.floor(i / 2) / Math.max(1, count / 2 - 1)];
      const [x1, x2] = SHAPES[shape](k, t, random);
      return [x1 + noise * normal(random), x2 + noise * normal(random), k];
    });
  }

  // The reader's own points as text for a link: the class, then two digits for each coordinate.
  const FINEST = 36 ** 2 - 1;
  const written = (share) => Math.round((share + 0.5) * FINEST).toString(36).padStart(2, "0");
  const read = (digits) => parseInt(digits, 36) / FINEST - 0.5;
  const encode = (points) =>
    points.map(([x1, x2, k]) => k + written(x1 / WIDTH) + written(x2 / HEIGHT)).join("");
  const decode = (text) => (text.match(/[01][0-9a-z]{4}/g) ?? []).slice(0, MOST)
    .map((p) => [read(p.slice(1, 3)) * WIDTH, read(p.slice(3)) * HEIGHT, +p[0]]);

  const asBatch = (points) => [
    Float64Array.from(points.flatMap(([x1, x2]) => [x1, x2])),
    points.map((point) => point[2]),
  ];

  // ------------------------------------------------------------------------------ pictures

  // The points of the plane that are painted, from the top left.
  const GRID = Float64Array.from({ length: 2 * COLUMNS * ROWS }, (_, i) => {
    const [row, column] = [Math.floor(i / 2 / COLUMNS), (i >> 1) % COLUMNS];
    return i % 2 ? HEIGHT * (0.5 - (row + 0.5) / ROWS) : WIDTH * ((column + 0.5) / COLUMNS - 0.5);
  });

  // Paints values over the plane, from the first colour of a palette of 256 at `low` to the last.
  const small = Object.assign(document.createElement("canvas"), { width: COLUMNS, height: ROWS });
  function paint(canvas, values, [low, high], palette) {
    const image = new ImageData(COLUMNS, ROWS);
    const pixels = new Uint32Array(image.data.buffer);
    const scale = 255 / (high - low || 1);
    for (let i = 0; i < values.length; i++)
      pixels[i] = palette[Math.round(scale * (values[i] - low))];
    small.getContext("2d").putImageData(image, 0, 0);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height); // NaN stays empty
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  // One column of a matrix [N, columns], and the least and the largest of some values.
  function column(matrix, columns, k) {
    const values = new Float64Array(matrix.length / columns);
    for (let n = 0; n < values.length; n++) values[n] = matrix[n * columns + k];
    return values;
  }
  function extent(values) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  }

  // Palettes from one colour [r, g, b] through others to the last.
  const palette = (...stops) => Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1);
    const k = Math.min(Math.floor(place), stops.length - 2);
    const parts = stops[k].map((part, c) => part + (place - k) * (stops[k + 1][c] - part));
    return new Uint32Array(Uint8Array.of(...parts, 255).buffer)[0];
  });
  // Draws the line on which values [ROWS, COLUMNS] are zero, square by square.
  function zeroLine(canvas, values, ink) {
    const context = canvas.getContext("2d");
    const at = (index, size, count) => ((index + 0.5) * size) / count;
    context.beginPath();
    for (let row = 0; row < ROWS - 1; row++) {
      for (let column = 0; column < COLUMNS - 1; column++) {
        const start = row * COLUMNS + column;
        const sides = [0, 1, COLUMNS, COLUMNS + 1].filter((step) => values[start + step] > 0);
        if (sides.length % 4 === 0) continue; // the line does not come here
        const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([right, down]) => [
          column + right, row + down, values[start + COLUMNS * down + right]]);
        let met = 0;
        corners.forEach(([x, y, value], i) => {
          const [nextX, nextY, next] = corners[(i + 1) % 4];
          if (value > 0 === next > 0) return;
          const share = value / (value - next);
          const place = [at(x + share * (nextX - x), canvas.width, COLUMNS),
            at(y + share * (nextY - y), canvas.height, ROWS)];
          if (met++ % 2) context.lineTo(...place);
          else context.moveTo(...place);
        });
      }
    }
    Object.assign(context, { lineWidth: 3, strokeStyle: ink });
    context.stroke();
  }

  Object.assign(Play, { WIDTH, HEIGHT, uniform, normal, draw, encode, decode, asBatch });
  Object.assign(Play, { GRID, palette, paint, column, extent, zeroLine });
})();
