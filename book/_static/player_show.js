const i = +this.value, box = this.closest('figure');
box.querySelectorAll('img').forEach((frame, k) => {
  frame.hidden = k !== i;
  if (k === i) {
    box.querySelector('output').value = frame.dataset.label;
    this.setAttribute('aria-valuetext', frame.dataset.label);
  }
});
