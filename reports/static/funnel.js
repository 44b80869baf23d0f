// Funnel: move a threshold and see what it would keep by itself, and which pictures lie next to the moved line.
"use strict";

(() => {
  const { make, number, count, later } = Diptych;
  const SHOWN = 12;

  /** Make the slider of one threshold. */
  async function offer(rows, box) {
    const { dataset, column } = box.dataset;
    if (!rows.scores.get(column)?.n) return;
    const given = Number(box.dataset.value), keepsAbove = box.dataset.above === "1";
    const facet = rows.facets.get("dataset");
    const mine = facet ? facet.values.indexOf(dataset) : -1;
    const input = make("input", { type: "range", min: 0, max: 1000, step: 1, "aria-label": `Try another threshold for ${column}` });
    const sign = box.dataset.sign;
    const hint = "Drag to try another line.";
    const text = make("output", {}, hint);
    const reset = make("button", { type: "button", class: "quiet", hidden: true }, "Back");
    const values = await rows.score(column);
    const known = [];
    for (let row = 0; row < rows.n; row += 1) if ((mine < 0 || facet.codes[row] === mine) && !Number.isNaN(values[row])) known.push(row);
    const low = Number(box.dataset.low), high = Number(box.dataset.high);
    const toSlider = (value) => Math.round((1000 * (value - low)) / (high - low));

    function move() {
      say(Number((low + (Number(input.value) / 1000) * (high - low)).toPrecision(3)));
    }

    function say(line) {
      const keeps = (row) => (keepsAbove ? values[row] >= line : values[row] < line);
      const mark = box.querySelector(".line");
      for (const end of ["x1", "x2"]) mark.setAttribute(end, `${(100 * (line - low)) / (high - low)}%`);
      const kept = known.filter(keeps).length;
      text.textContent = `${column} ${sign} ${number(line)} by itself keeps ${count(kept)} of ${count(known.length)} rows`;
      reset.hidden = false;
      const seen = known.filter((row) => rows.thumb(row)).sort((a, b) => Math.abs(values[a] - line) - Math.abs(values[b] - line) || a - b);
      const [rejected, stays] = [seen.filter((row) => !keeps(row)), seen.filter(keeps)];
      const sides = box.querySelectorAll(".side");
      fill(sides[0], "Just rejected", rejected.slice(0, SHOWN));
      fill(sides[1], "Just kept", stays.slice(0, SHOWN));
      box.querySelector(".pole span").textContent = `${column} ${sign} ${number(line)}`;
    }

    function fill(side, title, list) {
      const shots = list.map((row) => make("figure", { class: "shot" },
        make("a", { href: `gallery.html#sel=${row}` }, make("img", { src: rows.thumb(row), alt: `${column} ${number(values[row])}` })),
        make("figcaption", {}, number(values[row]))));
      side.replaceChildren(make("h3", {}, title), make("div", { class: "shots tiny" }, ...shots));
    }

    const sides = [...box.querySelectorAll(".side")].map((side) => [...side.childNodes]);
    const pole = box.querySelector(".pole span").textContent;
    reset.addEventListener("click", () => {
      box.querySelectorAll(".side").forEach((side, i) => side.replaceChildren(...sides[i]));
      box.querySelector(".pole span").textContent = pole;
      text.textContent = hint;
      input.value = toSlider(given);
      for (const end of ["x1", "x2"]) box.querySelector(".line").setAttribute(end, `${(100 * (given - low)) / (high - low)}%`);
      reset.hidden = true;
    });
    input.addEventListener("input", later(move, 40));
    input.value = toSlider(given);
    box.querySelector(".plot").after(make("div", { class: "try" }, input, text, reset));
  }

  async function start() {
    const boxes = document.querySelectorAll(".threshold");
    if (boxes.length) {
      const rows = await Diptych.rows.open();
      await Promise.all([...boxes].map((box) => offer(rows, box)));
    }
    document.documentElement.dataset.ready = "1";
  }

  document.addEventListener("DOMContentLoaded", () => start().catch(Diptych.complain));
})();
