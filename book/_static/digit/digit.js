// Draw a digit: a sheet to draw on, what becomes of the drawing, and what three networks say to it.
//
// sheet (280×280, the reader's) -> base (28×28, centred and scaled) -> seen (moved and turned),
// and `seen` is what the networks of networks.js read, with the weights and digits of weights.js.

"use strict";
(() => {
  const { SHEET, SIDE, BOX, normalise, moved, paint, paintMaps, paintUnits, paintLooks } = Digit;
  const PEN = { pen: 24, eraser: 44 }; // pixels of the sheet
  const STEP = 10; // of the pen, by keyboard
  const NAMES = { mlp: "NumPy network", lenet: "LeNet", vit: "ViT" };
  const GREETING = 14; // the test digit to begin with
  const STILL = { right: 0, down: 0, turned: 0 };
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  const percent = (share) => `${Math.round(100 * share)}%`;

  // ------------------------------------------------------------------------------ markup

  const button = (action, text, name, more = "") =>
    `<button type="button" data-do="${action}" title="${name}" aria-label="${name}" ${more}>` +
    `${text}</button>`;

  const answers = (name) => `<div class="network" data-network="${name}">
    <h4>${NAMES[name].split(" ")[0]} <output></output></h4>
    <div class="bars" role="img">${Array.from({ length: 10 }, (_, k) =>
      `<span>${k}</span><i><b></b></i><span></span>`).join("")}</div></div>`;

  const picture = (name, text) => `<div><canvas data-picture="${name}" width="${SIDE}"
    height="${SIDE}" role="img" aria-label="${text}"></canvas><span>${text}</span></div>`;

  const samples = (text, first) => `<div class="samples" role="group" aria-label="${text}">
    <span>${text}</span>${Array.from({ length: 10 }, (_, k) => {
      const name = `${text}: ${Digit.digits.labels[first + k]}`;
      return `<button type="button" data-do="sample" data-sample="${first + k}"
        title="${name}" aria-label="${name}"><canvas width="${SIDE}" height="${SIDE}"></canvas>
        </button>`;
    }).join("")}</div>`;

  const caption = () => {
    const share = (value) => `${(100 * value).toFixed(2)}%`;
    const each = Object.entries(Digit.record).map(([name, { accuracy, accuracy_before: before }]) =>
      `the ${NAMES[name]} reads ${share(accuracy)} of them right (${share(before)} before)`);
    return `What you draw is made as MNIST's digits were: the box around it is scaled to ${BOX}
      pixels on its longer side, each pixel the mean grey of what it covers, and placed in
      ${SIDE}×${SIDE} pixels with its centre of mass in the middle. The networks are recorded ones
      whose weights were rounded to 8 bits; the 10,000 test images say what that costs:
      ${each.join(", ")}.`;
  };

  const MARKUP = () => `<figure class="play digit">
    <div class="desk">
      <div class="drawing">
        <div class="paper"><canvas class="sheet" width="${SHEET}" height="${SHEET}" tabindex="0"
          role="application" aria-label="Sheet to draw a digit on"
          aria-describedby="digit-keys"></canvas><i class="tip"></i><b>Draw here</b></div>
        <div class="buttons" role="group" aria-label="Tools">
          ${button("pen", "Pen", "Pen", 'aria-pressed="true"')}
          ${button("eraser", "Erase", "Erase", 'aria-pressed="false"')}
          ${button("clear", "Clear", "Clear the sheet")}</div>
        <p class="hint" id="digit-keys">By keyboard: arrows move the pen, space lowers and lifts
          it.</p>
      </div>
      <div class="answers">${Object.keys(NAMES).map(answers).join("")}</div>
      <div class="moving">
        <canvas data-picture="seen" width="${SIDE}" height="${SIDE}" role="img"
          aria-label="What the networks see, ${SIDE}×${SIDE} pixels"></canvas>
        <p class="hint">What they see: move it, turn it</p>
        <div class="buttons" role="group" aria-label="Move and turn">
          ${button("left", "←", "One pixel to the left")}
          ${button("right", "→", "One pixel to the right")}
          ${button("up", "↑", "One pixel up")}${button("down", "↓", "One pixel down")}
          ${button("anticlockwise", "↺", "Turn 15° to the left")}
          ${button("clockwise", "↻", "Turn 15° to the right")}
          ${button("back", "Back", "Back to the middle, and upright")}</div>
      </div>
    </div>
    <p class="sentence"></p>
    ${samples("Test digits that all three read right", 0)}
    ${samples("Test digits that at least one misreads", 10)}
    <div class="inside">
      <div><h4>${NAMES.mlp}</h4>${picture("hidden", "its hidden units")}</div>
      <div><h4>${NAMES.lenet}</h4>
        ${picture("first", "6 maps of the first convolution")}
        ${picture("second", "16 maps of the second")}
        ${picture("third", "120 hidden units")}${picture("fourth", "84 hidden units")}</div>
      <div><h4>${NAMES.vit}</h4>
        ${picture("looks", "where it looks, mean of its heads")}
        <div class="heads">${Array.from({ length: Digit.networks.vit.heads }, (_, head) =>
          `<canvas data-head="${head}" width="${SIDE}" height="${SIDE}" role="img"
            aria-label="Where head ${head + 1} looks"></canvas>`).join("")}
          <span>each head</span></div></div>
    </div>
    <figcaption>${caption()}</figcaption></figure>`;

  // ------------------------------------------------------------------------------ the page

  class Page {
    constructor(box) {
      box.innerHTML = MARKUP();
      this.box = box;
      this.sheet = box.querySelector(".sheet");
      this.context = this.sheet.getContext("2d", { willReadFrequently: true });
      [this.tool, this.base, this.last, this.keys] = ["pen", null, null, new Set()];
      [this.at, this.down] = [[SHEET / 2, SHEET / 2], false]; // the keyboard's pen
      const [all, size] = [Digit.bytes(Digit.digits.pixels), SIDE * SIDE];
      this.digits = Digit.digits.labels.map((_, i) => all.slice(i * size, (i + 1) * size));
      box.querySelectorAll("[data-sample] canvas").forEach((canvas, i) =>
        paint(canvas.getContext("2d"), this.digits[i]));
      box.addEventListener("click", ({ target }) => {
        const pressed = target.closest("[data-do]");
        if (pressed) this.act(pressed.dataset.do, +pressed.dataset.sample);
      });
      box.addEventListener("focusin", () => // and not before the reader comes here
        box.querySelector(".sentence").setAttribute("aria-live", "polite"), { once: true });
      this.listen();
      this.take(GREETING);
      this.greeting = true; // the first stroke takes a new sheet
    }

    listen() {
      const on = (name, act) => this.sheet.addEventListener(name, act);
      const place = ({ clientX, clientY }) => {
        const { left, top, width } = this.sheet.getBoundingClientRect();
        return [clientX - left, clientY - top].map((offset) => (offset * SHEET) / width);
      };
      on("pointerdown", (event) => {
        if (event.button !== 0 || this.last) return;
        this.sheet.setPointerCapture(event.pointerId);
        this.draw((this.last = place(event)));
      });
      on("pointermove", (event) => {
        if (!this.last || !this.sheet.hasPointerCapture(event.pointerId)) return;
        const events = event.getCoalescedEvents?.() ?? [];
        for (const each of events.length ? events : [event])
          this.draw(this.last, (this.last = place(each)));
      });
      for (const name of ["pointerup", "pointercancel"]) on(name, () => (this.last = null));
      on("keydown", (event) => this.press(event));
      on("keyup", ({ key }) => this.keys.delete(key));
      on("blur", () => this.keys.clear());
    }

    press(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      if (KEYS[key]) {
        this.keys.add(key); // two at once go across
        const steps = [...this.keys].map((pressed) => KEYS[pressed]);
        const to = this.at.map((value, axis) => {
          const step = STEP * steps.reduce((sum, way) => sum + way[axis], 0);
          return Math.min(Math.max(value + step, 0), SHEET);
        });
        if (this.down) this.draw(this.at, to);
        this.at = to;
      } else if (key === " ") {
        this.down = !this.down;
        if (this.down) this.draw(this.at);
      } else if (key === "Escape") this.down = false;
      else return;
      event.preventDefault();
      this.showTip();
    }

    showTip() {
      const tip = this.box.querySelector(".tip");
      [tip.style.left, tip.style.top] = this.at.map((value) => `${(100 * value) / SHEET}%`);
      tip.classList.toggle("down", this.down);
    }

    act(what, sample) {
      const steps = {
        left: { right: -1 }, right: { right: 1 }, up: { down: -1 }, down: { down: 1 },
        anticlockwise: { turned: -15 }, clockwise: { turned: 15 },
      };
      if (what === "sample") this.take(sample);
      else if (what === "clear") this.clear();
      else if (what === "back") this.move = { ...STILL };
      else if (steps[what])
        for (const [way, step] of Object.entries(steps[what])) this.move[way] += step;
      else this.choose(what);
      this.show();
    }

    choose(tool) {
      this.tool = tool;
      for (const name of Object.keys(PEN)) {
        const pressed = this.box.querySelector(`[data-do="${name}"]`);
        pressed.setAttribute("aria-pressed", name === tool);
      }
    }

    clear() {
      this.context.clearRect(0, 0, SHEET, SHEET);
      [this.base, this.move, this.greeting, this.label] = [null, { ...STILL }, false, null];
      this.choose("pen");
    }

    // Lay one of the test digits on the sheet; until it is drawn on, its own pixels are read.
    take(sample) {
      this.clear();
      const small = document.createElement("canvas");
      [small.width, small.height] = [SIDE, SIDE];
      [this.base, this.drawn] = [Float64Array.from(this.digits[sample]), false];
      paint(small.getContext("2d"), this.base);
      this.context.globalCompositeOperation = "source-over";
      this.context.drawImage(small, 0, 0, SHEET, SHEET);
      this.label = Digit.digits.labels[sample];
      this.show();
    }

    draw(from, to = from) {
      if (this.greeting && this.tool === "pen") this.clear();
      this.greeting = false;
      const { context } = this;
      const erase = this.tool === "eraser";
      context.globalCompositeOperation = erase ? "destination-out" : "source-over";
      [context.lineWidth, context.lineCap] = [PEN[this.tool], "round"];
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      this.drawn = true;
      this.label = null;
      this.show();
    }

    show() {
      if (this.frame) return; // at most once a frame
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        if (this.drawn) this.base = normalise(this.ink());
        this.drawn = false;
        this.answer();
      });
    }

    ink() {
      const { data } = this.context.getImageData(0, 0, SHEET, SHEET);
      return Uint8Array.from({ length: SHEET * SHEET }, (_, i) => data[4 * i + 3]);
    }

    answer() {
      const seen = this.base ? moved(this.base, this.move) : new Float64Array(SIDE * SIDE);
      this.seen = seen;
      const found = {};
      for (const name of Object.keys(NAMES)) {
        found[name] = Digit.read(name, seen);
        this.showBars(name, this.base ? found[name].probabilities : null);
      }
      this.box.querySelector(".digit").classList.toggle("greeting", this.greeting || !this.base);
      this.showInside(seen, found);
      this.announce(found);
    }

    showBars(name, probabilities) {
      const network = this.box.querySelector(`[data-network="${name}"]`);
      const [...cells] = network.querySelector(".bars").children;
      const shares = Array.from(probabilities ?? new Array(10).fill(0));
      const best = shares.indexOf(Math.max(...shares));
      shares.forEach((share, k) => {
        const [digit, bar, text] = cells.slice(3 * k, 3 * k + 3);
        bar.firstChild.style.width = `${100 * share}%`;
        text.textContent = share >= 0.005 ? percent(share) : "";
        for (const cell of [digit, bar, text])
          cell.classList.toggle("best", Boolean(probabilities) && k === best);
      });
      const wrong = this.label !== null && best !== this.label ? " ✗" : "";
      network.querySelector("output").textContent = probabilities ? best + wrong : "–";
      const order = shares.map((share, k) => [share, k]).sort((a, b) => b[0] - a[0]).slice(0, 3);
      network.querySelector(".bars").setAttribute("aria-label", probabilities
        ? `Probabilities: ${order.map(([share, k]) => `${k} ${percent(share)}`).join(", ")}`
        : "No probabilities yet");
    }

    showInside(seen, { mlp, lenet, vit }) {
      const canvas = (name) => this.box.querySelector(`[data-picture="${name}"]`);
      paint(canvas("seen").getContext("2d"), seen);
      paintUnits(canvas("hidden"), mlp.hidden, 16);
      paintMaps(canvas("first"), lenet.first, 3);
      paintMaps(canvas("second"), lenet.second, 8);
      paintUnits(canvas("third"), lenet.third, 20);
      paintUnits(canvas("fourth"), lenet.fourth, 21);
      const { attention } = vit;
      const mean = attention[0].map((_, patch) =>
        attention.reduce((sum, head) => sum + head[patch], 0) / attention.length);
      paintLooks(canvas("looks"), seen, mean);
      attention.forEach((head, i) =>
        paintLooks(this.box.querySelector(`[data-head="${i}"]`), seen, head));
    }

    // Say the answers once the hand rests.
    announce(found) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.box.querySelector(".sentence").textContent = this.sentence(found);
      }, 400);
    }

    sentence(found) {
      if (!this.base) return "The sheet is empty: draw a digit, or take one of the test digits.";
      const { right, down, turned } = this.move;
      const ways = [
        right && `${Math.abs(right)} px ${right > 0 ? "right" : "left"}`,
        down && `${Math.abs(down)} px ${down > 0 ? "down" : "up"}`,
        turned && `turned by ${Math.abs(turned)}° to the ${turned > 0 ? "right" : "left"}`,
      ].filter(Boolean);
      const what = this.label === null ? "Your drawing" : `A test image of a ${this.label}`;
      const said = Object.entries(found).map(([name, { probabilities }]) => {
        const best = Math.max(...probabilities);
        return `${NAMES[name]} says ${probabilities.indexOf(best)} (${percent(best)})`;
      });
      return `${[what, ...ways].join(", ")}: ${said.join(", ")}.`;
    }
  }

  Digit.pages = [...document.querySelectorAll('[data-widget="digit"]')].map((box) => new Page(box));
})();
