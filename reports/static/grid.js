// Settings: one number at a time, and another prompt in all cells at once.
"use strict";

(() => {
  const { make } = Diptych;
  const $ = (id) => document.getElementById(id);

  function showMetric(metric) {
    for (const mean of document.querySelectorAll(".mean")) mean.hidden = mean.dataset.metric !== metric;
  }

  /** Put the picture of a prompt and seed into every cell. */
  function showPair(rows, pair) {
    const found = new Map();
    const dataset = document.querySelector(".cell").dataset.dataset;
    for (let row = 0; row < rows.n; row += 1) {
      if (rows.pairs[row] !== pair || (rows.facets.has("dataset") && rows.word("dataset", row) !== dataset)) continue;
      const model = rows.facets.has("model") ? rows.word("model", row) : rows.models[0];
      found.set(JSON.stringify([model, rows.word("setting", row)]), row);
    }
    for (const cell of document.querySelectorAll(".cell")) {
      const setting = rows.facets.has("setting") ? cell.dataset.setting : "";
      const row = found.get(JSON.stringify([cell.dataset.model, setting]));
      const link = cell.querySelector(".shot a");
      const none = make("span", { class: "no-picture" }, "no picture");
      link.replaceChildren(...(row === undefined ? [none] : rows.picture(row, (rows.caption(row) || "no caption").slice(0, 140), { isLarge: true })));
      if (row === undefined) link.removeAttribute("href");
      else link.setAttribute("href", `gallery.html#sel=${row}`);
    }
  }

  async function start() {
    $("controls").hidden = false;
    for (const radio of document.querySelectorAll('[name="metric"]')) radio.addEventListener("change", () => showMetric(radio.value));
    showMetric("0");
    const rows = await Diptych.rows.open();
    await rows.allCaptions();
    $("prompt")?.addEventListener("change", (event) => showPair(rows, Number(event.target.value)));
    document.documentElement.dataset.ready = "1";
  }

  document.addEventListener("DOMContentLoaded", () => start().catch(Diptych.complain));
})();
