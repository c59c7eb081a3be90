// Points in the plane for the playground: four shapes, and the reader's own, which a link can hold.
//
// A point is a triple of x₁, x₂ and its class, 0 or 1. The plane is 5.2 wide and 3.7 high, around
// 0: the one of practice 1, moved so that the half-moons lie in its middle.

"use strict";
window.Play ??= {};

(() => {
  const [WIDTH, HEIGHT] = [5.2, 3.7];
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

  Object.assign(Play, { WIDTH, HEIGHT, uniform, normal, draw, encode, decode, asBatch });
})();
