// Networks side by side: one slider and one button move them all to the same iteration.

for (const box of document.querySelectorAll(".side-by-side")) {
  const slider = box.querySelector("input");
  const button = box.querySelector("button");
  const iterations = box.dataset.iterations.split(" ");
  let timer = null;

  const show = () => {
    const text = `iteration ${iterations[slider.value]}`;
    box.style.setProperty("--frame", slider.value);
    box.querySelector("output").value = text;
    slider.setAttribute("aria-valuetext", text);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };
  const next = () => {
    slider.stepUp();
    show();
    if (slider.value === slider.max) stop();
  };

  slider.addEventListener("input", show);
  button.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    if (slider.value === slider.max) slider.value = 0;
    button.textContent = "Pause";
    timer = setInterval(next, 150);
  });
}
