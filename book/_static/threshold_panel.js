// Runs on every move of a slider; `this` is the figure. The last slider moves all others.
const data = JSON.parse(this.dataset.sweep);
const rows = [...this.querySelectorAll('tbody tr')], whole = rows.pop();
const sliders = rows.map(row => row.querySelector('input'));
const common = whole.querySelector('input');
if (event.target === common) sliders.forEach(slider => { slider.value = common.value; });
const write = (row, step, positives, hits, predicted) => {
  const share = (part, of) => of ? (part / of).toFixed(3) : '–';
  const texts = [share(hits, predicted), share(hits, positives), share(2 * hits, positives + predicted),
    hits, positives - hits, predicted - hits];
  row.querySelectorAll('td.value').forEach((cell, i) => { cell.textContent = texts[i]; });
  if (step === null) return;
  row.querySelector('output').textContent = data.grid[step];
  row.querySelector('input').setAttribute('aria-valuetext', data.grid[step]);
};
const sums = [0, 0, 0];
const steps = sliders.map(slider => +slider.value);
steps.forEach((step, k) => {
  const counts = [data.positives[k], data.hits[k][step], data.predicted[k][step]];
  counts.forEach((count, i) => { sums[i] += count; });
  write(rows[k], step, ...counts);
  const dot = this.querySelectorAll('circle')[k];
  dot.setAttribute('cx', data.left + data.plane * counts[1] / counts[0]);
  const precision = counts[2] ? counts[1] / counts[2] : 1;
  dot.setAttribute('cy', data.top + data.plane * (1 - precision));
});
const equal = steps.every(step => step === steps[0]);
write(whole, null, ...sums);
whole.querySelector('output').textContent = equal ? data.grid[steps[0]] : 'mixed';
if (equal) common.value = steps[0];
common.setAttribute('aria-valuetext', whole.querySelector('output').textContent);
let moved = 0;
this.querySelectorAll('.images > div').forEach(image => {
  const firsts = JSON.parse(image.dataset.steps), truth = JSON.parse(image.dataset.truth);
  let changed = false;
  image.querySelectorAll('span').forEach((line, k) => {
    const predicted = steps[k] <= firsts[k] ? 1 : 0;
    changed ||= predicted !== (data.start <= firsts[k] ? 1 : 0);
    const mark = data.marks[2 * truth[k] + predicted];
    line.hidden = !mark;
    if (mark) line.textContent = mark + ' ' + data.classes[k];
  });
  image.classList.toggle('changed', changed);
  moved += changed;
});
const count = this.querySelector('p output');
if (count) count.textContent = moved;
