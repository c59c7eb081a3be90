// What a digit looks like to a network: from the sheet to 28×28 pixels, and pictures of units.

"use strict";
window.Digit ??= {};

(() => {
  const [SHEET, SIDE, BOX] = [280, 28, 20]; // pixels: of the sheet, of what is seen, of the digit

  // ------------------------------------------------------------- from the sheet to 28×28

  // Ink [280, 280] -> pixels [28, 28], or null if there is none. MNIST's way: the box around the
  // ink is scaled to 20 pixels on its longer side, each the mean of what it covers, and moved by
  // whole pixels until its centre of mass is in the middle.
  function normalise(ink) {
    let [left, top, right, bottom] = [SHEET, SHEET, -1, -1];
    ink.forEach((value, at) => {
      if (value < 8) return;
      const [x, y] = [at % SHEET, Math.floor(at / SHEET)];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    });
    if (right < 0) return null;
    const scale = BOX / Math.max(right - left + 1, bottom - top + 1);
    const width = Math.max(1, Math.round((right - left + 1) * scale));
    const height = Math.max(1, Math.round((bottom - top + 1) * scale));
    const small = new Float64Array(width * height);
    let [mass, sumX, sumY] = [0, 0, 0];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const from = [left + x / scale, top + y / scale];
        const value = meanInk(ink, ...from, 1 / scale);
        small[y * width + x] = value;
        [mass, sumX, sumY] = [mass + value, sumX + value * x, sumY + value * y];
      }
    const [moveX, moveY] = [sumX, sumY].map((sum) => Math.round(SIDE / 2 - sum / mass));
    const pixels = new Float64Array(SIDE * SIDE);
    small.forEach((value, at) => {
      const [x, y] = [(at % width) + moveX, Math.floor(at / width) + moveY];
      if (x >= 0 && x < SIDE && y >= 0 && y < SIDE) pixels[y * SIDE + x] = Math.round(value);
    });
    return pixels;
  }

  // The mean of a square of the sheet, whose edges may run through pixels.
  function meanInk(ink, left, top, side) {
    let [sum, area] = [0, 0];
    for (let y = Math.floor(top); y < Math.min(top + side, SHEET); y++)
      for (let x = Math.floor(left); x < Math.min(left + side, SHEET); x++) {
        const wide = Math.min(x + 1, left + side) - Math.max(x, left);
        const part = wide * (Math.min(y + 1, top + side) - Math.max(y, top));
        [sum, area] = [sum + part * ink[y * SHEET + x], area + part];
      }
    return sum / area;
  }

  // Pixels [28, 28] turned around the middle and moved; between pixels, their weighted mean.
  function moved(pixels, { right, down, turned }) {
    const at = (x, y) => (x < 0 || x >= SIDE || y < 0 || y >= SIDE ? 0 : pixels[y * SIDE + x]);
    const [cos, sin] = [Math.cos, Math.sin].map((f) => f((turned * Math.PI) / 180));
    const middle = (SIDE - 1) / 2;
    return Float64Array.from(pixels, (_, place) => {
      const x = (place % SIDE) - right - middle;
      const y = Math.floor(place / SIDE) - down - middle;
      const [u, v] = [cos * x + sin * y + middle, cos * y - sin * x + middle];
      const [column, row] = [Math.floor(u), Math.floor(v)];
      const [s, t] = [u - column, v - row];
      const above = (1 - s) * at(column, row) + s * at(column + 1, row);
      const below = (1 - s) * at(column, row + 1) + s * at(column + 1, row + 1);
      return (1 - t) * above + t * below;
    });
  }

  // ---------------------------------------------------------------------------- pictures

  // Paint grey values, 0 for paper and 255 for ink, as black of that opacity.
  function paint(context, values, width = SIDE, left = 0, top = 0) {
    const image = context.createImageData(width, values.length / width);
    values.forEach((value, i) => image.data.set([0, 0, 0, Math.round(value)], 4 * i));
    context.putImageData(image, left, top);
  }

  // Paint maps side by side; the strongest unit of all is black.
  function paintMaps(canvas, { channels, size, data }, columns, apart = 1) {
    const rows = Math.ceil(channels / columns);
    const pitch = size + apart;
    canvas.width = columns * pitch - apart;
    canvas.height = rows * pitch - apart;
    const context = canvas.getContext("2d");
    const largest = Math.max(...data) || 1;
    context.fillStyle = "#8888";
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (let map = 0; map < channels; map++) {
      const values = data.slice(map * size * size, (map + 1) * size * size);
      const [left, top] = [(map % columns) * pitch, Math.floor(map / columns) * pitch];
      paint(context, values.map((value) => (255 * value) / largest), size, left, top);
    }
  }

  const paintUnits = (canvas, data, columns) =>
    paintMaps(canvas, { channels: data.length, size: 1, data }, columns, 0);

  // Paint pixels, and over them how much each patch [N] is looked at.
  function paintLooks(canvas, pixels, looks) {
    const context = canvas.getContext("2d");
    const perRow = Math.sqrt(looks.length);
    const side = SIDE / perRow;
    const largest = Math.max(...looks);
    paint(context, pixels);
    looks.forEach((look, patch) => {
      context.fillStyle = `rgb(213 94 0 / ${(0.7 * look) / largest})`;
      context.fillRect((patch % perRow) * side, Math.floor(patch / perRow) * side, side, side);
    });
  }

  Object.assign(Digit, { SHEET, SIDE, BOX, normalise, moved });
  Object.assign(Digit, { paint, paintMaps, paintUnits, paintLooks });
})();
