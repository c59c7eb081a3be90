// Gradient descent by hand: one weight, the curve of its loss, the tangent where it stands, and
// the step that the learning rate makes of it.

"use strict";
(() => {
  // A model of one weight w, fitted to three points by the mean squared error, its derivative by
  // w, and which weights are shown.
  const MODELS = {
    "a bowl: w·x": [(w, x) => w * x, (w, x) => x, [-2, 4]],
    "a plateau: tanh(w·x)": [
      (w, x) => Math.tanh(w * x), (w, x) => x * (1 - Math.tanh(w * x) ** 2), [-6, 6]],
    "many valleys: sin(w·x)": [
      (w, x) => Math.sin(w * x), (w, x) => x * Math.cos(w * x), [-12, 12]],
  };
  const POINTS = [[0.5, 0.4], [1, 0.7], [1.5, 0.9]];
  const mean = (each) => POINTS.reduce((sum, [x, y]) => sum + each(x, y), 0) / POINTS.length;
  const RATES = Array.from({ length: 61 }, (_, i) => +(0.01 * 10 ** (i / 20)).toPrecision(2));

  const sign = (number) => String(number).replace("-", "−");
  const text = (value) => sign(Math.abs(value) < 1e5 ? value.toFixed(2) : value.toExponential(1));

  const PAGE = `
<svg viewBox="0 0 450 330" role="img">
  <path class="axis" d="M54 10 V280 H440"/>
  <text x="247" y="324" text-anchor="middle">weight w</text>
  <text transform="translate(16 145) rotate(-90)" text-anchor="middle">loss L(w)</text>
  <g class="ticks"></g>
  <svg x="54" y="0" width="390" height="281" viewBox="54 0 390 281">
    <path class="loss"/><path class="path"/><path class="tangent"/><path class="step"/>
    <g class="visited"></g><circle class="next" r="7"/><circle class="here" r="7"/>
  </svg>
</svg>
<form autocomplete="off">
  <div class="sliders">
    <label>learning rate η <output class="rate"></output><input type="range" name="rate" min="0"
      max="60" value="20" aria-label="learning rate"></label>
    <label>start: w <output class="start"></output><input type="range" name="start" min="1"
      max="59" value="10" aria-label="start: w"></label>
  </div>
  <div class="buttons">
    <label>loss<select name="model">${Object.keys(MODELS).map((name) =>
      `<option>${name}</option>`).join("")}</select></label>
    <button type="button" class="go">Step</button>
    <button type="button" class="back">Reset</button>
  </div>
  <p class="sentence" aria-live="polite"></p>
</form>
<figcaption>The filled dot is the weight, the straight line the tangent there. A step goes to the
ring: as far against the slope as η times the slope is long.</figcaption>`;

  class Descent {
    constructor(box) {
      this.figure = document.createElement("figure");
      this.figure.className = "play descent";
      this.figure.innerHTML = PAGE;
      box.replaceChildren(this.figure);
      this.find = (selector) => this.figure.querySelector(selector);
      this.form = this.find("form");
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("input", ({ target }) =>
        target.name === "rate" ? this.show() : this.restart());
      this.find(".go").addEventListener("click", () => this.step());
      this.find(".back").addEventListener("click", () => this.restart());
      this.restart();
    }

    get rate() {
      return RATES[+this.form.elements.rate.value];
    }

    loss(w) {
      return mean((x, y) => (this.model[0](w, x) - y) ** 2);
    }

    slope(w) {
      return mean((x, y) => 2 * (this.model[0](w, x) - y) * this.model[1](w, x));
    }

    restart() {
      const { model, start } = this.form.elements;
      this.model = MODELS[model.value];
      const [low, high] = this.model[2];
      const along = Array.from({ length: 301 }, (_, i) => low + ((high - low) * i) / 300);
      const top = Math.max(...along.map((w) => this.loss(w)));
      this.across = (w) => 54 + (380 * (w - low)) / (high - low);
      this.up = (loss) => 280 - (260 * loss) / top;
      this.place = (w, loss) => `${this.across(w).toFixed(2)} ${this.up(loss).toFixed(2)}`;
      this.inside = (w) => w >= low && w <= high;
      this.visited = [along[5 * start.value]];
      const curve = along.map((w) => this.place(w, this.loss(w)));
      this.find(".loss").setAttribute("d", `M${curve.join(" L")}`);
      this.find(".ticks").innerHTML =
        along.filter((_, i) => i % 50 === 0).map((w) =>
          `<text x="${this.across(w)}" y="300" text-anchor="middle">${sign(w)}</text>`).join("") +
        [0, 0.5, 1].map((share) => `<text x="48" y="${285 - 260 * share}" text-anchor="end">` +
          `${+(share * top).toFixed(1)}</text>`).join("");
      this.show();
    }

    step() {
      const w = this.visited.at(-1);
      const next = w - this.rate * this.slope(w); // the whole of gradient descent
      if (Number.isFinite(this.loss(next))) this.visited.push(next);
      this.show();
    }

    // What the last step did, or what the next one will do.
    sentence() {
      const [w, steps] = [this.visited.at(-1), this.visited.length - 1];
      const now = `w = ${text(w)}, loss ${text(this.loss(w))}, slope ${text(this.slope(w))}`;
      if (!steps) return `Start: ${now}. A step will go to ${text(w - this.rate * this.slope(w))}.`;
      const before = this.visited.at(-2);
      const rose = this.loss(w) > this.loss(before);
      const crossed = this.slope(w) * this.slope(before) < 0;
      let what = rose ? "The loss rose: the step was too long." : "The loss fell.";
      if (rose && crossed) what = "Over the valley, and higher up than before: it diverges.";
      else if (crossed) what = "Over the valley, and lower down than before.";
      else if (Math.abs(this.slope(w)) < 0.005)
        what = this.loss(w) < 0.1 ? "It has arrived." : "It is flat here: steps lead nowhere.";
      const outside = this.inside(w) ? "" : " It has left the picture.";
      return `Step ${steps}: ${now}. ${what}${outside}`;
    }

    show() {
      const set = (name, values) => Object.entries(values).forEach(([key, value]) =>
        this.find(name).setAttribute(key, value));
      const { place, across, up, visited } = this;
      const w = visited.at(-1);
      const [loss, slope] = [this.loss(w), this.slope(w)];
      const next = w - this.rate * slope;
      const tangent = [-99, 99].map((far) => place(w + far, loss + far * slope));
      set(".tangent", { d: `M${tangent.join(" L")}` });
      set(".step", { d: `M${place(w, loss)} H${across(next)} L${place(next, this.loss(next))}` });
      set(".here", { cx: across(w), cy: up(loss) });
      set(".next", { cx: across(next), cy: up(this.loss(next)) });
      const path = visited.slice(-50).map((each) => [across(each), up(this.loss(each))]);
      set(".path", { d: `M${path.join(" L")}` });
      this.find(".visited").innerHTML =
        path.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="4"/>`).join("");
      this.find("output.rate").value = this.rate;
      this.find("output.start").value = text(visited[0]);
      set("[name=rate]", { "aria-valuetext": this.rate });
      set("[name=start]", { "aria-valuetext": text(visited[0]) });
      this.find(".sentence").textContent = this.sentence();
      set("svg", { "aria-label": `The loss of one weight. ${this.sentence()}` });
    }
  }

  document.querySelectorAll('[data-widget="gradient-descent"]').forEach((box) => new Descent(box));
})();
