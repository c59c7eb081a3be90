/* Tables of recorded runs: a click on a column's head sorts, a box above filters.
   Both are added here, so that without scripts there is a plain table and no dead control.
   An address that ends in ?rows=lenet opens the tables with that in their boxes. */

(function () {
  "use strict";

  // "1,234.5" is a number, and so is what "0.9912 [0.9901, 0.9923]" begins with.
  function value(cell) {
    const text = cell.textContent.trim();
    const number = parseFloat(text.replace(/,(?=\d{3})/g, ""));
    return cell.classList.contains("n") ? number : text.toLowerCase();
  }

  function compare(a, b) {
    if (typeof a === "string") {
      return a.localeCompare(b, "en", { numeric: true });
    }
    return a - b;
  }

  function sort(table, column, descending) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [value(row.cells[column]), row]);
    rows.sort(function (one, other) {
      const [a, b] = [one[0], other[0]];
      if (Number.isNaN(a) || Number.isNaN(b)) {
        return Number.isNaN(a) - Number.isNaN(b); // what is no number comes last, either way
      }
      return descending ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map((pair) => pair[1]));
  }

  function makeSortable(table) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", function () {
        const descending = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sort(table, column, descending);
      });
    });
  }

  // "a|b" finds either, "=a" a cell with nothing else in it.
  function finds(word, cells) {
    return word.split("|").some(function (part) {
      return part.startsWith("=")
        ? cells.includes(part.slice(1))
        : cells.some((cell) => cell.includes(part));
    });
  }

  function makeFilter(table, scroller) {
    const rows = Array.from(table.tBodies[0].rows, function (row) {
      return [Array.from(row.cells, (cell) => cell.textContent.toLowerCase()), row];
    });
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    const bar = document.createElement("div");
    bar.className = "run-filter";
    input.type = "search";
    input.autocomplete = "off";
    label.append("Rows with ", input);
    bar.append(label, count);
    scroller.before(bar);
    function show() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach(function ([cells, row]) {
        row.hidden = !words.every((word) => finds(word, cells));
        shown += !row.hidden;
      });
      count.value = shown + " of " + rows.length;
    }
    const asked = new URLSearchParams(location.search).get("rows");
    const fold = scroller.closest("details");
    if (asked && fold) {
      input.value = asked;
      fold.open = true;
    }
    input.addEventListener("input", show);
    show();
  }

  document.querySelectorAll(".run-table").forEach(function (scroller) {
    const table = scroller.querySelector("table");
    makeSortable(table);
    if (table.tBodies[0].rows.length > 20) {
      makeFilter(table, scroller);
    }
  });
})();
