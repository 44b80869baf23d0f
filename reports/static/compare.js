// Compare: rows of the same prompt and seed, drawn only where they can be seen, and a viewer that lays two over each other.
"use strict";

(() => {
  const { make, number, count, later } = Diptych;
  const $ = (id) => document.getElementById(id);
  const GAP = 4, BETWEEN = 32, MAX_COLUMNS = 6;
  let rows, groups = [], shown = [], columns = [], choices = [], chosen = null, values = null, height = 0, side = 0, perLine = 1;
  const lines = new Map();
  const plain = (text) => text.replace(/[\u2066-\u2069]/g, "").replace(/[\s\u0085\u001c-\u001f]+/g, " ");
  /** A text of a stranger beside other words: its direction stays its own. Where there are no elements, isolates do it. */
  const foreign = (text) => make("bdi", {}, plain(text));
  const isolated = (text) => `\u2068${plain(text)}\u2069`;

  function words(name) {
    return rows.facets.get(name)?.values ?? [];
  }

  /** A facet of one value is not in the data; then every row that has a pair has it. */
  function wordOf(name, row) {
    return rows.facets.has(name) ? rows.word(name, row) : (name === "model" ? rows.models[0] : "");
  }

  function paired() {
    return [...rows.pairs.keys()].filter((row) => rows.pairs[row] >= 0);
  }

  const benchmarkAndModel = (row) => JSON.stringify([rows.word("benchmark", row), wordOf("model", row)]);

  function gather(key, word) {
    const found = new Map();
    for (const row of paired()) {
      if (!found.has(key(row))) found.set(key(row), new Set());
      found.get(key(row)).add(word(row));
    }
    return found;
  }

  /** Return whether models with one setting each differ in it, on some benchmark, and which rows are of such models. */
  function ownSettings() {
    const settings = gather(benchmarkAndModel, (row) => wordOf("setting", row));
    const isSingle = (row) => settings.get(benchmarkAndModel(row)).size === 1;
    const single = new Map();
    for (const row of paired().filter(isSingle)) {
      const name = rows.word("benchmark", row);
      if (!single.has(name)) single.set(name, new Set());
      single.get(name).add(wordOf("setting", row));
    }
    return { isSingle, differ: [...single.values()].some((found) => found.size > 1), isAll: paired().every(isSingle) };
  }

  /** Return what pictures beside one another may have in common: text and which rows; only what makes pairs. */
  function choicesOf(across) {
    const other = across === "model" ? "setting" : "model";
    const own = ownSettings();
    const ofEach = { text: "of each its own", keep: own.isSingle, isOwn: true };
    if (across === "model" && own.differ && own.isAll) return [ofEach];
    const sides = gather((row) => wordOf(other, row), (row) => wordOf(across, row));
    const all = (other === "model" ? rows.models : words("setting")).filter((word) => sides.get(word)?.size > 1);
    const found = all.map((word) => ({ text: word, keep: (row) => wordOf(other, row) === word }));
    if (!found.length && sides.size === 1) found.push({ text: "the only one", keep: () => true }); // no facet of one value
    return across === "model" && own.differ ? [...found, ofEach] : found;
  }

  /** Group rows by prompt and seed under the chosen column axis. */
  function group() {
    const across = $("across").value;
    chosen = choices[Number($("fixed").value)];
    const found = new Map();
    for (const row of paired()) {
      const pair = rows.pairs[row];
      if (!chosen?.keep(row)) continue;
      if (!found.has(pair)) found.set(pair, new Map());
      const cells = found.get(pair);
      if (!cells.has(wordOf(across, row))) cells.set(wordOf(across, row), row);
    }
    const all = across === "model" ? rows.models : words("setting");
    const there = all.filter((label) => [...found.values()].some((cells) => cells.has(label)));
    columns = there.slice(0, MAX_COLUMNS);
    sayMore(there.slice(MAX_COLUMNS));
    groups = [...found.entries()].filter(([, cells]) => cells.size > 1)
      .map(([pair, cells]) => ({ pair, cells, first: cells.values().next().value }));
  }

  /** Say which columns there is no room for. */
  function sayMore(more) {
    $("more").hidden = !more.length;
    $("more").replaceChildren(`And ${count(more.length)} more, not shown here: `, ...more.flatMap((label, place) => (place ? [", ", foreign(label)] : [foreign(label)])));
  }

  /** Return a column's label for a picture, with its setting where that is not the same in all columns. */
  function named(label, row) {
    return chosen.isOwn ? [foreign(label), ", ", foreign(wordOf("setting", row))] : [foreign(label)];
  }

  function spread(entry) {
    const known = columns.map((label) => entry.cells.get(label)).filter((row) => row !== undefined).map((row) => values[row]).filter((value) => !Number.isNaN(value));
    return known.length > 1 ? Math.max(...known) - Math.min(...known) : -1;
  }

  async function update() {
    const score = $("score").value;
    values = score ? await rows.score(score) : null;
    $("order").disabled = !values;
    const hits = $("search").value.trim() ? await rows.search($("search").value) : null;
    const { codes } = rows.index.captions;
    shown = groups.filter((entry) => !hits || (codes[entry.first] >= 0 && hits[codes[entry.first]]));
    const order = $("order").value;
    if (values && order === "apart") shown = shown.map((entry) => [spread(entry), entry]).sort((a, b) => b[0] - a[0] || a[1].pair - b[1].pair).map(([, entry]) => entry);
    if (values && order === "differ") shown = shown.filter((entry) => spread(entry) > 0);
    if (values && (order === "lost" || order === "won")) {
      const sign = order === "won" ? -1 : 1;
      const step = (entry) => { const [a, b] = columns.slice(0, 2).map((label) => values[entry.cells.get(label)]); return sign * (b - a); };
      const known = (entry) => (Number.isFinite(step(entry)) ? step(entry) : Infinity);
      shown.sort((a, b) => known(a) - known(b) || a.pair - b.pair);
    }
    $("count").textContent = shown.length === groups.length ? `${count(groups.length)} prompts and seeds` : `${count(shown.length)} of ${count(groups.length)} prompts and seeds`;
    layOut();
    document.documentElement.dataset.ready = "1";
  }

  /** Fit the pairs to the width: tiles no larger than the pictures bear, as many pairs beside one another as fit. */
  function layOut() {
    const width = $("rows").clientWidth, n = Math.max(1, columns.length);
    const wish = Math.min(n > 2 ? 230 : 340, Math.max(190, 3 * rows.index.side));
    perLine = Math.max(1, Math.round((width + BETWEEN) / (n * wish + GAP * (n - 1) + BETWEEN)));
    const room = (width - BETWEEN * (perLine - 1)) / perLine;
    side = Math.floor(Math.min(wish, (room - GAP * (n - 1)) / n));
    height = side + (values ? 24 : 2) + 62;
    $("rows").style.height = `${Math.ceil(shown.length / perLine) * height}px`;
    lines.clear();
    $("rows").replaceChildren();
    draw();
  }

  function draw() {
    const top = -$("rows").getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / height) - 1);
    const last = Math.min(Math.ceil(shown.length / perLine) - 1, Math.ceil((top + window.innerHeight) / height) + 1);
    for (const [line, element] of lines) if (line < first || line > last) { element.remove(); lines.delete(line); }
    for (let line = first; line <= last; line += 1) {
      if (lines.has(line)) continue;
      const element = make("div", { class: "line-of" }, ...shown.slice(line * perLine, (line + 1) * perLine).map(drawPair));
      element.style.transform = `translateY(${line * height}px)`;
      element.style.gridTemplateColumns = `repeat(${perLine}, ${columns.length * side + GAP * (columns.length - 1)}px)`;
      element.style.columnGap = `${BETWEEN}px`;
      lines.set(line, element);
      $("rows").append(element);
    }
  }

  function drawPair(entry) {
    const title = make("b", { dir: "auto" }, "…");
    const cells = make("div", { class: "cells-of" }, ...columns.map((label) => drawCell(entry, label)));
    cells.style.gridTemplateColumns = `repeat(${columns.length}, minmax(0, 1fr))`;
    rows.captionsOf([entry.first]).then(() => {
      const caption = rows.caption(entry.first) || "no caption";
      title.textContent = caption.slice(0, 300);
      title.title = caption.slice(0, 1000);
      cells.querySelectorAll("button").forEach((button) => button.setAttribute("aria-label", `${button.dataset.label}: ${caption.slice(0, 140)}`));
    }).catch(Diptych.complain);
    return make("section", { class: "pair" }, make("h2", {}, title, make("span", { class: "soft" }, rows.word("category", entry.first).replaceAll("_", " "))), cells);
  }

  function drawCell(entry, label) {
    const row = entry.cells.get(label);
    if (row === undefined) return make("div", { class: "no-picture" }, "not made");
    const source = rows.preview(row);
    const frame = make("span", { class: "frame" }, source ? make("img", { src: source, alt: "", decoding: "async" }) : make("span", { class: "no-picture" }, "no picture"), make("span", { class: "name" }, ...named(label, row)));
    frame.style.height = `${side}px`;
    const text = values ? make("small", {}, Number.isNaN(values[row]) ? "not scored" : number(values[row])) : null;
    const open = () => viewer.open(entry, label);
    return make("div", {}, make("button", { type: "button", class: "tile", "data-label": label, "aria-label": label, on: { click: open } }, frame, text));
  }

  const viewer = (() => {
    const MODES = { side: "Side by side", slider: "Slider", flip: "Flip", difference: "Difference" };
    let entry, left, right, mode = "side", flipped = false, part = 50;

    function open(which, label) {
      entry = which;
      const there = columns.filter((column) => entry.cells.has(column));
      left = there[0] === label && there.length > 1 ? label : there.find((column) => column !== label);
      right = there[0] === label ? there[1] : label;
      draw();
      $("viewer").showModal();
    }

    function pick(current, set) {
      const there = columns.filter((column) => entry.cells.has(column));
      return make("select", { on: { change: (event) => { set(event.target.value); draw(); } } },
        ...there.map((label) => make("option", { value: label, selected: label === current }, label)));
    }

    function draw() {
      const [a, b] = [left, right].map((label) => rows.preview(entry.cells.get(label)));
      const stage = make("div", { class: `stage${mode === "side" ? "" : " is-over"} is-${mode}` }, make("img", { src: a, alt: left }), make("img", { src: b, alt: right }));
      const over = stage.lastElementChild;
      let control = null;
      if (mode === "slider") {
        const cut = () => { over.style.clipPath = `inset(0 0 0 ${part}%)`; };
        control = make("input", { type: "range", min: 0, max: 100, value: part, "aria-label": `Share of ${left}`, on: { input: (event) => { part = Number(event.target.value); cut(); } } });
        cut();
      }
      if (mode === "flip") {
        const flip = () => { over.hidden = !flipped; control.replaceChildren("Showing ", ...named(...(flipped ? [right, entry.cells.get(right)] : [left, entry.cells.get(left)])), "; press space to flip"); };
        control = make("button", { type: "button", on: { click: () => { flipped = !flipped; flip(); } } });
        flip();
      }
      const caption = rows.caption(entry.first) || "No caption";
      $("viewer").replaceChildren(
        make("div", { class: "tools" }, make("h2", { id: "viewer-title", class: "grow", dir: "auto" }, caption.slice(0, 300)), make("button", { type: "button", class: "quiet", on: { click: () => $("viewer").close() } }, "Close")),
        make("div", { class: "bar" },
          make("label", {}, "Left ", pick(left, (label) => { left = label; })), make("label", {}, "Right ", pick(right, (label) => { right = label; })),
          ...Object.entries(MODES).map(([name, text]) => make("button", { type: "button", class: "quiet", "aria-pressed": String(mode === name), on: { click: () => { mode = name; draw(); } } }, text))),
        stage, control ?? "",
        make("p", { class: "soft" }, make("a", { href: `gallery.html#sel=${entry.cells.get(left)}` }, "Details of ", ...named(left, entry.cells.get(left))), " · ", make("a", { href: `gallery.html#sel=${entry.cells.get(right)}` }, "Details of ", ...named(right, entry.cells.get(right)))));
      if (mode === "flip") control.focus();
    }

    return { open };
  })();

  function options(select, entries) {
    select.replaceChildren(...entries.map(([value, text]) => make("option", { value }, text)));
  }

  function offerFixed() {
    const isModel = $("across").value === "model";
    $("fixed-label").textContent = isModel ? "Setting" : "Model";
    choices = choicesOf($("across").value);
    options($("fixed"), choices.map((choice, place) => [place, choice.text]));
    $("fixed").parentElement.hidden = choices.length < 2;
  }

  function offerOrders() {
    const b = isolated(columns[1] ?? "");
    options($("order"), [["", "as they come"], ["apart", "furthest apart first"], ["differ", "different only"], ["won", `most gained by ${b}`], ["lost", `most lost by ${b}`]]);
  }

  async function start() {
    rows = await Diptych.rows.open();
    const axes = [["model", "models", rows.models.length], ["setting", "settings", words("setting").length]].filter(([name, , n]) => n > 1 && choicesOf(name).length);
    options($("across"), axes.map(([name, text]) => [name, text]));
    const scores = [...rows.scores.values()].filter((score) => score.n > 0);
    options($("score"), [["", "pictures only"], ...scores.map((score) => [score.name, score.label])]);
    const regroup = () => { group(); offerOrders(); return update(); };
    $("across").addEventListener("change", () => { offerFixed(); regroup(); });
    $("fixed").addEventListener("change", regroup);
    $("score").addEventListener("change", update);
    $("order").addEventListener("change", update);
    $("search").addEventListener("input", later(update, 150));
    $("compare").hidden = false;
    offerFixed();
    window.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
    window.addEventListener("resize", later(layOut, 120));
    await regroup();
  }

  document.addEventListener("DOMContentLoaded", () => start().catch(Diptych.complain));
})();
