const box = this.closest('figure'), slider = box.querySelector('input');
const stop = () => {
  clearInterval(box.timer);
  box.timer = null;
  this.textContent = 'Play';
};
if (box.timer) return stop();
if (slider.value === slider.max) slider.value = 0;
this.textContent = 'Pause';
box.timer = setInterval(() => {
  slider.stepUp();
  slider.dispatchEvent(new Event('input'));
  if (slider.value === slider.max) stop();
}, 150);
