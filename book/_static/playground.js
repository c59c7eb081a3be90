// The playground: a network that trains in the page while one watches. Its arithmetic is mlp.js.
//
// The form is the whole state. A link's fragment holds it, #playground_data-moons_noise-0-2_...
// (the theme takes every fragment for a CSS selector, which may have no other signs than these).
// Every change starts the training anew, from the same seed: a link always leads to the same
// picture. The random numbers are the page's own: other points than NumPy's.

"use strict";
(() => {
  const { WIDTH, HEIGHT, GRID, uniform, normal, asBatch } = Play;
  const { palette, paint, column, extent, zeroLine } = Play;
  const GREYS = palette([40, 40, 40], [240, 240, 240]);
  const LAST = 20000; // epochs, then it rests
  const LINK = "#playground_"; // how a link's fragment begins
  const NUMBERS = ["noise", "rate", "decay"]; // for which a link may hold any

  // Settings as text for a link, and back: noise-0-2 is a noise of 0.2.
  const written = (settings) =>
    settings.map(([name, value]) => `${name}-${value.replace(".", "-")}`).join("_");
  const read = (text) => Object.fromEntries(text.split("_").map((setting) => {
    const [name, ...value] = setting.split("-");
    return [name, value.join(".")];
  }));

  // ------------------------------------------------------------------------------ training

  class Training {
    constructor(settings) {
      const seed = 10 * settings.seed;
      const { data, own, points, noise } = settings;
      this.settings = settings;
      const drawn = (random) => Play.draw(data, +points, +noise, random);
      this.points = data === "own" ? Play.decode(own) : drawn(uniform(seed));
      const fresh = data === "own" ? [] : drawn(uniform(seed + 1));
      [this.whole, this.heldOut] = [this.points, fresh].map(asBatch);
      this.random = uniform(seed + 2);
      this.network = this.build(uniform(seed + 3));
      [this.epoch, this.stride, this.history] = [0, 1, []];
      this.log();
    }

    // Gaussian weights of He's scale before a rectifier and of Glorot's before all else; no biases.
    build(random) {
      const { units1, units2, first, second } = this.settings;
      const sizes = [2, +units1, ...(+units2 ? [+units2] : []), 2];
      const activations = [first, second].slice(0, sizes.length - 2);
      const parameters = sizes.slice(1).map((outputs, i) => {
        const rectified = ["ReLU", "GELU", "SiLU"].includes(activations[i]);
        const scale = Math.sqrt(2 / (rectified ? sizes[i] : sizes[i] + outputs));
        const weight = Array.from({ length: sizes[i] * outputs }, () => scale * normal(random));
        return [weight, new Array(outputs).fill(0)];
      });
      return Play.network(parameters, activations);
    }

    runEpoch() {
      const { rate, decay } = this.settings;
      for (const batch of this.batches()) this.network.step(...batch, +rate, +decay);
      this.epoch += 1;
      if (this.epoch % this.stride === 0) this.log();
    }

    batches() {
      const order = this.points.slice();
      const size = +this.settings.batch || order.length;
      if (size >= order.length) return [this.whole];
      for (let i = order.length - 1; i > 0; i--) {
        const j = Math.floor(this.random() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
        asBatch(order.slice(i * size, (i + 1) * size)));
    }

    // Keeps at most 150 moments of the losses, evenly spaced.
    log() {
      [this.now, this.fresh] = [this.whole, this.heldOut].map((batch) =>
        this.network.evaluate(...batch));
      this.diverged = this.points.length > 0 && !isFinite(this.now.loss);
      if (!this.diverged) this.history.push([this.epoch, this.now.loss, this.fresh.loss]);
      if (this.history.length < 150) return;
      this.stride *= 2;
      this.history = this.history.filter(([epoch]) => epoch % this.stride === 0);
    }

    get over() {
      return this.diverged || this.points.length === 0 || this.epoch >= LAST;
    }

    // What happened, for a reader who does not see the pictures.
    sentence() {
      const percent = (share) => `${(100 * share).toFixed(1)}%`;
      if (!this.points.length) return "There are no points yet: put some into the plane.";
      const epoch = `Epoch ${this.epoch.toLocaleString("en")}`;
      if (this.diverged)
        return `${epoch}: the loss is no longer a finite number. The steps were too long: ` +
          "choose a smaller learning rate.";
      const fresh = this.heldOut[1].length
        ? `, on fresh points ${percent(this.fresh.accuracy)}` : "";
      return `${epoch}: loss ${this.now.loss.toPrecision(3)}, ` +
        `training accuracy ${percent(this.now.accuracy)}${fresh}.`;
    }
  }

  // ------------------------------------------------------------------------------- the page

  const NAMES = { square: "x²", reciprocal: "1/x" };
  const named = (names) => names.map((name) => [name, NAMES[name] ?? name]);
  const upTo16 = Array.from({ length: 16 }, (_, i) => i + 1);

  const options = (choices, chosen) => choices.map((choice) => {
    const [value, text = value] = [choice].flat();
    return `<option value="${value}"${value === chosen ? " selected" : ""}>${text}</option>`;
  }).join("");
  const select = (name, label, choices, chosen) =>
    `<label>${label}<select name="${name}">${options(choices, chosen)}</select></label>`;

  const DATA = [["moons", "half-moons"], ["circles", "circles"], ["xor", "XOR"],
    ["spirals", "spirals"], ["own", "my own points"]];
  const PACES = [["1", "slow"], ["5", "medium"], ["25", "fast"], ["Infinity", "full"]];

  const PAGE = `
<form autocomplete="off">
  <div class="buttons">
    <button type="button" class="start">Play</button>
    <button type="button" class="step">Step</button>
    <button type="button" class="reset">Reset</button>
    <button type="button" class="copy">Copy link</button>
  </div>
  <p class="sentence"></p>
  <p class="said" aria-live="polite"></p>
  <div class="pictures">
    <div class="plane" tabindex="0" role="application" aria-label="The plane. Arrow keys move a
cross and say what the network answers there; 0 or 1 puts a point of that class there, Delete
takes the nearest away.">
      <canvas class="boundary" width="780" height="555"></canvas>
      <svg viewBox="${-WIDTH / 2} ${-HEIGHT / 2} ${WIDTH} ${HEIGHT}" aria-hidden="true">
        <g class="points"></g><path class="cross"/></svg>
    </div>
    <svg class="curve" viewBox="0 0 340 242" role="img">
      <path d="M44 26 V206 H330" class="axis"/>
      <text x="187" y="236" text-anchor="middle">epoch</text>
      <text x="40" y="210" text-anchor="end">0</text>
      <text x="40" y="34" text-anchor="end" class="top"></text>
      <text x="330" y="226" text-anchor="end" class="end"></text>
      <text transform="translate(18 120) rotate(-90)" text-anchor="middle">loss</text>
      <path d="M60 12 h24" class="training"/><text x="90" y="17">training</text>
      <path d="M170 12 h24" class="fresh"/><text x="200" y="17">fresh points</text>
      <polyline class="training"/><polyline class="fresh"/>
    </svg>
  </div>
  <fieldset class="marks"><legend>A click</legend>
    <label><input type="radio" name="mark" value="0" checked> adds <b class="k0">●</b></label>
    <label><input type="radio" name="mark" value="1"> adds <b class="k1">▲</b></label>
    <label><input type="radio" name="mark" value="x"> takes away</label>
    <button type="button" class="clear">Take all away</button>
  </fieldset>
  <fieldset class="settings"><legend>Data</legend>
    ${select("data", "shape", DATA, "moons")}
    ${select("points", "points", [50, 100, 200, 400], 200)}
    ${select("noise", "noise", [0, 0.05, 0.1, 0.2, 0.3, 0.4], 0.2)}
    <label>seed<input name="seed" type="number" min="0" max="9999" value="0" required></label>
    <input name="own" type="hidden" value="">
  </fieldset>
  <fieldset class="settings"><legend>Network</legend>
    ${select("units1", "units, layer 1", upTo16, 10)}
    ${select("first", "activation 1", named(Play.ACTIVATIONS.slice(0, -1)), "tanh")}
    ${select("units2", "units, layer 2", [[0, "none"], ...upTo16], 0)}
    ${select("second", "activation 2", named(Play.ACTIVATIONS), "tanh")}
  </fieldset>
  <fieldset class="settings"><legend>Training</legend>
    ${select("rate", "learning rate η", [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], 0.3)}
    ${select("decay", "weight decay λ", [0, 0.0001, 0.001, 0.01, 0.1], 0)}
    ${select("batch", "batch", [[0, "all points"], 50, 10, 1], 0)}
    ${select("pace", "speed", PACES, "5")}
  </fieldset>
  <div class="units"></div>
</form>
<figcaption>A network with two inputs and two scores, trained in this page by gradient descent on
the cross-entropy. The ground is the probability of class 1, from blue (0) to orange (1), the line
where it is one half. Each small picture is what one hidden unit gives, dark where it is smallest
and light where it is largest.</figcaption>`;

  const CIRCLE = "m-.055 0 a.055 .055 0 1 0 .11 0 a.055 .055 0 1 0 -.11 0";
  const TRIANGLE = "m0 -.08 l.075 .13 h-.15 z";

  class Playground {
    constructor(box) {
      const figure = document.createElement("figure");
      figure.className = "play playground";
      figure.innerHTML = PAGE;
      box.replaceChildren(figure);
      this.find = (selector) => figure.querySelector(selector);
      [this.figure, this.form, this.cross] = [figure, this.find("form"), [0, 0]];
      [this.playing, this.spoken] = [false, 0];
      this.given = box.dataset.settings ?? "";
      this.listen();
      this.open(location.hash.startsWith(LINK) ? location.hash : "");
    }

    listen() {
      const [form, plane] = [this.form, this.find(".plane")];
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("change", ({ target }) => {
        const { second, units1, units2 } = form.elements;
        if (target === second && !+units2.value) units2.value = units1.value;
        if (!["mark", "pace"].includes(target.name) && target.checkValidity()) this.restart();
      });
      const press = (name, act) => this.find(name).addEventListener("click", act);
      press(".start", () => (this.playing ? this.pause() : this.play()));
      press(".step", () => (this.pause(), this.train(1), this.show()));
      press(".reset", () => (this.pause(), this.restart()));
      press(".copy", () => this.copyLink());
      press(".clear", () => this.own([]));
      plane.addEventListener("click", (event) => {
        const { left, top, width, height } = plane.getBoundingClientRect();
        const [right, down] = [(event.clientX - left) / width, (event.clientY - top) / height];
        this.cross = [WIDTH * (right - 0.5), HEIGHT * (0.5 - down)];
        this.mark(form.elements.mark.value);
      });
      plane.addEventListener("keydown", (event) => this.key(event));
      new MutationObserver(() => this.draw())
        .observe(document.documentElement, { attributeFilter: ["data-theme"] });
      window.addEventListener("hashchange", () => {
        if (location.hash.startsWith(LINK)) this.open(location.hash);
      });
      document.addEventListener("click", ({ target }) => {
        const { hash } = target.closest(`a[href^="${LINK}"]`) ?? {};
        if (hash && hash === location.hash) this.open(hash); // for a second time
      });
    }

    // Begins with the page's settings, changed by those of a link's fragment.
    open(fragment) {
      const { elements } = this.form;
      this.form.reset();
      elements.own.value = "";
      const asked = { ...read(this.given), ...read(fragment.slice(LINK.length)) };
      for (const [name, value] of Object.entries(asked)) {
        const control = elements[name];
        const offered = [...(control?.options ?? [])].some((option) => option.value === value);
        if (control?.options && !offered) {
          if (!NUMBERS.includes(name) || !(+value >= 0) || !isFinite(value)) continue;
          control.add(new Option(value, value));
        }
        if (control) control.value = value;
      }
      this.pause();
      this.restart();
      if (fragment) this.figure.scrollIntoView({ behavior: "instant" });
      if (asked.epoch > 0) this.play(Math.min(LAST, asked.epoch));
    }

    copyLink() {
      const settings = [...new FormData(this.form), ["epoch", String(this.training.epoch)]];
      history.replaceState(null, "", LINK + written(settings));
      const done = (where) => () => this.tell(`The link to this playground is ${where}.`);
      const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
      copied.then(done("copied"), done("in the address bar"));
    }

    // ---------------------------------------------------------------------- training and time

    restart() {
      const { units1, units2, second } = this.form.elements;
      if (second.value === "permute" && +units2.value) units2.value = units1.value;
      this.training = new Training(Object.fromEntries(new FormData(this.form)));
      this.layOut();
      this.show();
      if (this.training.over) this.pause();
    }

    // Trains some epochs, or as many as fit in a twentieth of a second.
    train(epochs, goal = LAST) {
      const end = performance.now() + 50;
      const { training } = this;
      for (let i = 0; i < epochs && !training.over && training.epoch < goal; i++) {
        training.runEpoch();
        if (performance.now() > end) break;
      }
    }

    play(goal = LAST) {
      const turn = (this.playing = {}); // one loop at a time
      this.find(".start").textContent = "Pause";
      // Who asks for reduced motion sees a new picture every two seconds.
      const rest = matchMedia("(prefers-reduced-motion: reduce)").matches ? 2000 : 0;
      let drawn = performance.now();
      const frame = (now) => {
        if (this.playing !== turn) return;
        this.train(goal < LAST ? Infinity : +this.form.elements.pace.value, goal);
        const done = this.training.over || this.training.epoch >= goal;
        if (done) this.pause();
        else requestAnimationFrame(frame);
        if (done || now - drawn >= rest) {
          drawn = now;
          this.show(done ? 0 : 5000);
        }
      };
      requestAnimationFrame(frame);
    }

    pause() {
      if (this.playing) this.tell(this.training.sentence());
      this.playing = false;
      this.find(".start").textContent = "Play";
    }

    // ------------------------------------------------------------------ the reader's own points

    own(points) {
      const { own, data } = this.form.elements;
      [own.value, data.value] = [Play.encode(points), "own"];
      this.restart();
    }

    mark(what) {
      const [[x1, x2], { points }] = [this.cross, this.training];
      if (what !== "x") return this.own([...points, [x1, x2, +what]]);
      const distance = (point) => Math.hypot(point[0] - x1, point[1] - x2);
      const nearest = Math.min(...points.map(distance));
      return this.own(points.filter((point) => distance(point) > nearest));
    }

    key(event) {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      const marks = { 0: "0", 1: "1", Delete: "x", Backspace: "x", Enter: "", " ": "" };
      if (event.key in moves) {
        const limits = [0.49 * WIDTH, 0.49 * HEIGHT];
        this.cross = this.cross.map((place, i) =>
          Math.max(-limits[i], Math.min(limits[i], place + 0.1 * moves[event.key][i])));
        this.drawCross();
        const [x1, x2] = this.cross.map((place) => place.toFixed(1).replace("-", "−"));
        const [s0, s1] = this.training.network.forward(Float64Array.from(this.cross));
        const sure = 1 / (1 + Math.exp(-Math.abs(s1 - s0)));
        this.tell(`At ${x1}, ${x2}: class ${+(s1 > s0)}, ${(100 * sure).toFixed(0)}%.`);
      } else if (event.key in marks) this.mark(marks[event.key] || this.form.elements.mark.value);
      else return;
      event.preventDefault();
    }

    // -------------------------------------------------------------------- what is shown and said

    // Shows the present state; says it too, unless something was said in the last milliseconds.
    show(pause = 0) {
      if (this.training.epoch % this.training.stride) this.training.log();
      this.draw();
      const sentence = this.training.sentence();
      if (!pause || performance.now() - this.spoken > pause) this.tell(sentence);
      else this.find(".sentence").textContent = sentence;
    }

    // Writes a sentence where it is seen, and where it is spoken.
    tell(sentence) {
      this.spoken = performance.now();
      this.find(".sentence").textContent = this.find(".said").textContent = sentence;
    }

    // Lays out the points and, for each hidden layer, one picture a unit.
    layOut() {
      this.find(".points").innerHTML = this.training.points.map(([x1, x2, k]) => {
        const place = `M${x1.toFixed(3)} ${(-x2).toFixed(3)}`;
        return `<path class="k${k}" d="${place} ${k ? TRIANGLE : CIRCLE}"/>`;
      }).join("");
      this.find(".units").innerHTML = this.training.network.dense.slice(0, -1).map((layer, i) =>
        `<div role="img" aria-label="What each of the ${layer.outputs} units of layer ${i + 1} ` +
        `gives over the plane"><span>layer ${i + 1}</span>` +
        '<canvas width="65" height="46"></canvas>'.repeat(layer.outputs) + "</div>").join("");
      this.drawCross();
    }

    drawCross() {
      const [x1, x2] = this.cross;
      this.find(".cross").setAttribute("d", `M${x1 - 0.12} ${-x2} h.24 M${x1} ${-x2 - 0.12} v.24`);
    }

    draw() {
      const style = getComputedStyle(this.figure);
      const colour = (name) =>
        style.getPropertyValue(name).match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
      const { network } = this.training;
      const scores = network.forward(GRID);
      const other = column(scores, 2, 0);
      const lead = column(scores, 2, 1).map((score, i) => score - other[i]);
      const boundary = this.find(".boundary");
      const colours = palette(...["--zero", "--half", "--one"].map(colour));
      paint(boundary, lead.map((value) => Math.tanh(value / 2)), [-1, 1], colours);
      zeroLine(boundary, lead, style.getPropertyValue("--ink"));
      this.figure.querySelectorAll(".units > div").forEach((row, i) => {
        row.querySelectorAll("canvas").forEach((canvas, unit, { length }) => {
          const values = column(network.layers[2 * i + 1].a, length, unit);
          paint(canvas, values, extent(values), GREYS);
        });
      });
      this.drawCurve();
    }

    drawCurve() {
      const { history, epoch } = this.training;
      const top = Math.max(0.1, ...history.flatMap((row) => row.slice(1)).filter(isFinite));
      const last = Math.max(1, epoch);
      ["training", "fresh"].forEach((name, i) => {
        const place = (row) => `${44 + (286 * row[0]) / last},${206 - (180 * row[i + 1]) / top}`;
        const rows = history.filter((row) => isFinite(row[i + 1]));
        this.find(`polyline.${name}`).setAttribute("points", rows.map(place).join(" "));
      });
      this.find(".top").textContent = top.toPrecision(2);
      this.find(".end").textContent = last.toLocaleString("en");
      const label = `The loss over the epochs. ${this.training.sentence()}`;
      this.find(".curve").setAttribute("aria-label", label);
    }
  }

  document.querySelectorAll('[data-widget="playground"]').forEach((box) => new Playground(box));
})();
