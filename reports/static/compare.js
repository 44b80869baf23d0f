// Compare: rows of the same prompt and seed, drawn only where they can be seen. Its whole state is in the address.
"use strict";

(() => {
  const { make, number, count, later, plain, foreign } = Diptych;
  const { tally, ordered } = Diptych.pairs;
  const $ = (id) => document.getElementById(id);
  const GAP = 4, BETWEEN = 32, LEAST_SIDE = 110, ALL = "all";
  const KEYS = { across: "c", fixed: "w", score: "s", order: "o", a: "a", b: "b", search: "q", open: "sel", other: "with", way: "v" };
  const lines = new Map();
  let rows, pairs, axes = [], state, choices = [], groups = [], shown = [], columns = [], values = null, counts = null;
  let repeated = new Set(); // prompts of several rows, which their seeds or samples tell apart
  let height = 0, side = 0, perLine = 1;
  /** What `foreign` does, where there are no elements. */
  const isolated = (text) => `\u2068${plain(text)}\u2069`;

  /** Read the state from the address; what is not there is the default. */
  function parse() {
    const found = Object.fromEntries(Object.keys(KEYS).map((name) => [name, ""]));
    for (const part of location.hash.slice(1).split("&")) {
      const cut = part.indexOf("=");
      const name = Object.keys(KEYS).find((one) => KEYS[one] === part.slice(0, cut));
      try { if (name) found[name] = decodeURIComponent(part.slice(cut + 1)); } catch { /* a broken escape in a link that somebody typed */ }
    }
    return found;
  }

  function format() {
    const parts = Object.keys(KEYS).filter((name) => state[name] !== "").map((name) => `${KEYS[name]}=${encodeURIComponent(state[name])}`);
    return `#${parts.join("&")}`;
  }

  function go(change, { quiet = false } = {}) {
    Object.assign(state, change);
    history[quiet ? "replaceState" : "pushState"](null, "", format());
    return update();
  }

  /** Return a column's label for a picture, with its setting where that is not the same in all columns. */
  function named(entry) {
    return (label, row) => (entry.choice.isOwn ? [foreign(label), ", ", foreign(pairs.word("setting", row))] : [foreign(label)]);
  }

  const sameAs = (entry) => JSON.stringify([entry.prompt, entry.choice.text]);

  const options = (select, entries, chosen) => select.replaceChildren(...entries.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));

  /** Take what the state asks for as far as it is there, group the rows, and show the choices. */
  function settle() {
    const across = axes.some(([name]) => name === state.across) ? state.across : axes[0][0];
    choices = pairs.choices(across);
    const fixed = choices.some(({ text }) => text === state.fixed) ? state.fixed : choices.length > 1 ? ALL : choices[0]?.text ?? "";
    groups = pairs.groups(across, fixed === ALL ? choices : choices.filter(({ text }) => text === fixed));
    const once = new Set();
    repeated = new Set(groups.map(sameAs).filter((one) => once.has(one) || !once.add(one)));
    columns = pairs.columns(across, groups);
    const a = columns.includes(state.a) ? state.a : columns.find((label) => label !== state.b) ?? "";
    const b = columns.includes(state.b) && state.b !== a ? state.b : columns.find((label) => label !== a) ?? "";
    options($("across"), axes.map(([name, text]) => [name, text]), across);
    $("fixed-label").textContent = across === "model" ? "Setting" : "Model";
    options($("fixed"), [...(choices.length > 1 ? [[ALL, across === "model" ? "all settings" : "all models"]] : []), ...choices.map(({ text }) => [text, text])], fixed);
    $("fixed").parentElement.hidden = choices.length < 2;
    for (const [name, label] of [["a", a], ["b", b]]) {
      options($(name), columns.map((one) => [one, plain(one)]), label);
      $(name).parentElement.hidden = columns.length < 3;
    }
    return { across, fixed, a, b };
  }

  async function update() {
    const { fixed, a, b } = settle();
    const score = rows.scores.get(state.score);
    values = score?.n ? await rows.score(state.score) : null;
    $("score").value = values ? state.score : "";
    const by = isolated(b);
    const order = values ? state.order : "";
    options($("order"), [["", "as they come"], ["apart", "furthest apart first"], ["differ", "different only"], ["more", `most gained by ${by}`], ["less", `most lost by ${by}`], ["prompts", `prompts that ${by} loses most often`]], order);
    $("order").disabled = !values;
    if (document.activeElement !== $("search")) $("search").value = state.search;
    const hits = state.search.trim() ? await rows.search(state.search) : null;
    const { codes } = rows.index.captions;
    const found = groups.filter((entry) => !hits || (codes[entry.first] >= 0 && hits[codes[entry.first]]));
    const sign = score?.better === "lower" ? -1 : 1;
    const signed = values && sign < 0 ? values.map((one) => -one) : values; // more is better from here on
    shown = ordered(found, order, signed, columns, [a, b]);
    counts = values ? tally(signed, [a, b], found) : null;
    sayTally(score, a, b);
    const of = fixed === ALL ? `rows of the same prompt, ${rows.drawWord} and ${$("fixed-label").textContent.toLowerCase()}` : `prompts and ${rows.drawWord}s`;
    const sample = rows.sampleNote ? `,${rows.sampleNote}` : "";
    $("count").textContent = `${shown.length === groups.length ? count(groups.length) : `${count(shown.length)} of ${count(groups.length)}`} ${of}${sample}`;
    layOut();
    look(a, b);
    document.documentElement.dataset.ready = location.hash || "#"; // what is drawn, for whoever waits for it
  }

  const inWords = ([more, same, less], isJudged) => (isJudged ? `${count(more)} won, ${count(same)} tied, ${count(less)} lost` : `${count(more)} higher, ${count(same)} equal, ${count(less)} lower`);

  /** Say how often one side has the better value; that settles nothing, which the verdicts above do. */
  function sayTally(score, a, b) {
    $("tally").hidden = !counts;
    if (counts) $("tally").replaceChildren(foreign(b), " against ", foreign(a), ` by ${score.label}, pair by pair${rows.sampleNote}: ${inWords(counts.all, Boolean(score.better))}.`);
  }

  /** Fit the pairs to the width: tiles no larger than the pictures bear, as many pairs beside one another as fit. */
  function layOut() {
    const width = $("rows").parentElement.clientWidth, n = Math.max(1, columns.length);
    const wish = Math.min(n > 2 ? 230 : 340, Math.max(190, 3 * rows.index.side));
    perLine = Math.max(1, Math.round((width + BETWEEN) / (n * wish + GAP * (n - 1) + BETWEEN)));
    const room = (width - BETWEEN * (perLine - 1)) / perLine;
    side = Math.max(LEAST_SIDE, Math.floor(Math.min(wish, (room - GAP * (n - 1)) / n)));
    height = side + (values ? 24 : 2) + 78;
    $("rows").style.height = `${Math.ceil(shown.length / perLine) * height}px`;
    $("rows").style.minWidth = perLine === 1 ? `${n * side + GAP * (n - 1)}px` : "";
    const focused = document.activeElement.closest("#rows .tile")?.dataset.row;
    lines.clear();
    $("rows").replaceChildren();
    draw();
    if (focused !== undefined) document.querySelector(`#rows .tile[data-row="${CSS.escape(focused)}"]`)?.focus();
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
      cells.querySelectorAll("button").forEach((button) => button.setAttribute("aria-label", `${button.dataset.label}: ${rows.told(Number(button.dataset.row), caption.slice(0, 140))}`));
    }).catch(Diptych.complain);
    const facts = [rows.word("category", entry.first).replaceAll("_", " ")];
    if (repeated.has(sameAs(entry))) facts.push(rows.index.draws[entry.pair]);
    if ($("fixed").value === ALL) facts.push(plain(entry.choice.text));
    if (entry.isOneOfSeveral) facts.push(`in ${[...entry.datasets].map(plain).join(" and ")}`);
    if (counts) facts.push(`this prompt${rows.sampleNote ? ", as far as shown" : ""}: ${inWords(counts.byPrompt.get(entry.prompt), Boolean(rows.scores.get(state.score).better))}`);
    const said = facts.filter(Boolean).flatMap((fact, place) => (place ? [" · ", foreign(fact)] : [foreign(fact)]));
    return make("section", { class: "pair" }, make("h2", {}, title), make("p", { class: "soft" }, ...said), cells);
  }

  function drawCell(entry, label) {
    const row = entry.cells.get(label);
    if (row === undefined) return make("div", { class: "no-picture" }, "not made");
    const frame = make("span", { class: "frame" }, ...rows.picture(row, "", { isLarge: true }), make("span", { class: "name" }, ...named(entry)(label, row)));
    frame.style.height = `${side}px`;
    const text = values ? make("small", {}, Number.isNaN(values[row]) ? "not scored" : number(values[row])) : null;
    const open = () => go({ open: String(row), other: "" });
    return make("div", {}, make("button", { type: "button", class: "tile", "data-label": label, "data-row": row, "aria-label": rows.told(row, label), on: { click: open } }, frame, text));
  }

  /** Open the viewer on the picture that the address names, or close it. */
  async function look(a, b) {
    const row = state.open === "" ? NaN : Number(state.open);
    const entry = groups.find(({ cells }) => [...cells.values()].includes(row));
    if (!entry) { Diptych.viewer.close(); return; }
    await rows.captionsOf([entry.first]);
    const label = columns.find((one) => entry.cells.get(one) === row);
    const other = state.other || (label === a ? b : label === b ? a : "");
    const changed = (left, right, way) => {
      Object.assign(state, { open: String(entry.cells.get(left)), other: right, way: way === "side" ? "" : way });
      history.replaceState(null, "", format());
    };
    const isOpen = document.getElementById("viewer").open;
    if (!isOpen) Diptych.viewer.open(rows, entry, columns, named(entry), changed, { label, other, way: state.way || "side" });
  }

  /** Give what is shown as a table: a line per picture, those beside one another with the same number. */
  function give() {
    const cells = shown.flatMap((entry, place) => columns.filter((label) => entry.cells.has(label)).map((label) => [entry.cells.get(label), String(place + 1), label]));
    const [pair, column] = [1, 2].map((part) => cells.map((each) => each[part]));
    return Diptych.exported.give(rows, cells.map(([row]) => row), "pairs.csv", { pair, column });
  }

  async function start() {
    rows = await Diptych.rows.open();
    pairs = new Diptych.pairs.Pairs(rows);
    axes = [["model", "models"], ["setting", "settings"]].filter(([name]) => pairs.words(name).length > 1 && pairs.choices(name).length);
    const scores = [...rows.scores.values()].filter((score) => score.n > 0);
    options($("score"), [["", "pictures only"], ...scores.map((score) => [score.name, score.label])]);
    state = parse();
    $("across").addEventListener("change", (event) => go({ across: event.target.value, fixed: "", a: "", b: "" }));
    for (const name of ["fixed", "score", "order", "a", "b"]) $(name).addEventListener("change", (event) => go({ [name]: event.target.value }));
    $("search").addEventListener("input", later((event) => go({ search: event.target.value.trim() }, { quiet: true }), 150));
    $("export").addEventListener("click", give);
    $("viewer").addEventListener("close", async () => {
      const row = state.open;
      if (row) await go({ open: "", other: "", way: "" }, { quiet: true });
      document.querySelector(`#rows .tile[data-row="${CSS.escape(row)}"]`)?.focus();
    });
    $("compare").hidden = false;
    window.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
    window.addEventListener("resize", later(layOut, 120));
    for (const event of ["hashchange", "popstate"]) window.addEventListener(event, () => { state = parse(); $("search").value = state.search; update(); });
    await update();
  }

  document.addEventListener("DOMContentLoaded", () => start().catch(Diptych.complain));
})();
