// The gallery: filters, order and search over columns, and a wall that holds only the tiles that can be seen.
"use strict";

(() => {
  const { make, number, count, later, copies } = Diptych;
  const WIDTHS = [84, 132, 196, 300];
  const GAP = 12;
  const $ = (id) => document.getElementById(id);

  let rows, state, shown = [], sortValues = null, sortName = "", run = 0, isTyping = false;
  const wall = { columns: 1, width: 0, height: 0, lines: new Map(), focus: 0 };

  /** Compute what is shown and how often each value of a facet is there under the other filters. */
  async function update() {
    const mine = ++run;
    const chip = [...$("chips").children, $("clear")].indexOf(document.activeElement);
    const all = await Diptych.filters.tests(rows, state);
    const name = state.sort.replace(/^-/, "");
    const values = rows.scores.has(name) ? await rows.score(name) : null;
    if (mine !== run) return; // a newer state came meanwhile
    const failed = new Int32Array(rows.n).fill(-1); // -1: none, -2: several, else the only test that fails
    for (let row = 0; row < rows.n; row += 1) {
      for (let i = 0; i < all.length; i += 1) {
        if (!all[i].test(row)) failed[row] = failed[row] === -1 ? i : -2;
        if (failed[row] === -2) break;
      }
    }
    const fitting = [...failed.keys()].filter((row) => failed[row] === -1);
    const absent = fitting.filter((row) => !rows.thumb(row));
    shown = absent.length ? [...fitting.filter((row) => rows.thumb(row)), ...absent] : fitting;
    sortValues = values;
    sortName = values ? name : "";
    if (values) {
      const sign = state.sort.startsWith("-") ? -1 : 1;
      const key = (row) => (Number.isNaN(values[row]) ? Infinity : sign * values[row]);
      shown.sort((a, b) => key(a) - key(b));
    }
    Diptych.facets.draw($("facets"), { rows, failed, filters: state.filters, columns: all.map((test) => test.column), setFilter });
    drawChips();
    const total = rows.total > rows.n ? `${count(rows.n)} shown of ${count(rows.total)}` : count(rows.n);
    const without = absent.length ? `, ${count(absent.length)} without a picture` : "";
    $("count").textContent = `${shown.length === rows.n ? total : `${count(shown.length)} of ${total}`} images${without}`;
    $("nothing").hidden = shown.length > 0;
    // Neither what is being typed nor a space at its end is taken away by a drawing that began before.
    if (!isTyping && $("search").value.trim() !== state.search) $("search").value = state.search;
    $("sort").value = state.sort;
    $("size").value = state.size;
    $("captions").setAttribute("aria-pressed", String(state.captions));
    wall.focus = 0;
    layOut();
    if (chip >= 0) ([...$("chips").children].at(Math.min(chip, $("chips").children.length - 1)) ?? document.querySelector("#wall .tile"))?.focus({ preventScroll: true });
    if (state.open !== null && state.open < rows.n) Diptych.drawer.open(rows, shown, state.open, select);
    else Diptych.drawer.close();
    document.documentElement.dataset.ready = location.hash || "#"; // what is drawn, for whoever waits for it
  }

  function go(change, { quiet = false } = {}) {
    Object.assign(state, change);
    history[quiet ? "replaceState" : "pushState"](null, "", Diptych.filters.format(state));
    return update();
  }

  function select(row) {
    state.open = row;
    history.replaceState(null, "", Diptych.filters.format(state));
  }

  function setFilter(column, values) {
    const filters = new Map(state.filters);
    if (values.length) filters.set(column, values);
    else filters.delete(column);
    return go({ filters, open: null });
  }

  function drawChips() {
    const chips = [];
    for (const [column, values] of state.filters) {
      const label = rows.facets.get(column)?.label ?? rows.scores.get(column)?.label ?? column;
      const text = values.length > 3 ? `${count(values.length)} values` : values.map((value) => Diptych.filters.describe(rows, value)).join(" or ");
      chips.push(make("button", { type: "button", "aria-label": `Remove the filter ${label} ${text}`, on: { click: () => setFilter(column, []) } }, `${label}: ${text} ✕`));
    }
    if (state.search) chips.push(make("button", { type: "button", on: { click: () => go({ search: "" }) } }, `“${state.search}” ✕`));
    $("chips").replaceChildren(...chips);
  }

  /** Fit the wall to the width and draw the lines that can be seen. */
  function layOut() {
    const width = $("wall").clientWidth;
    const wish = width < 520 ? [64, 100, 150, 300][state.size - 1] : WIDTHS[state.size - 1];
    wall.columns = Math.max(1, Math.floor((width + GAP) / (wish + GAP)));
    wall.width = Math.floor((width - GAP * (wall.columns - 1)) / wall.columns);
    wall.height = wall.width + GAP + (state.captions ? 22 : 0);
    const lines = Math.ceil(shown.length / wall.columns);
    $("wall").style.height = `${lines * wall.height}px`;
    $("wall").setAttribute("aria-rowcount", lines);
    $("wall").setAttribute("aria-colcount", wall.columns);
    const focused = document.activeElement.closest("#wall .tile")?.dataset.row;
    wall.lines.clear();
    $("wall").replaceChildren();
    draw();
    if (focused !== undefined) focusOn(Math.max(0, shown.indexOf(Number(focused))));
  }

  function draw() {
    const top = -$("wall").getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / wall.height) - 1);
    const last = Math.min(Math.ceil(shown.length / wall.columns) - 1, Math.ceil((top + window.innerHeight) / wall.height) + 1);
    for (const [line, element] of wall.lines) {
      if (line < first || line > last) { element.remove(); wall.lines.delete(line); }
    }
    const fresh = [];
    for (let line = first; line <= last; line += 1) {
      if (wall.lines.has(line)) continue;
      const element = drawLine(line);
      wall.lines.set(line, element);
      fresh.push(element);
    }
    $("wall").append(...fresh);
    label();
  }

  function drawLine(line) {
    const element = make("div", { class: "line-of", role: "row", "aria-rowindex": line + 1 });
    element.style.transform = `translateY(${line * wall.height}px)`;
    element.style.gridTemplateColumns = `repeat(${wall.columns}, minmax(0, 1fr))`;
    const stop = Math.min((line + 1) * wall.columns, shown.length);
    for (let place = line * wall.columns; place < stop; place += 1) element.append(drawTile(place));
    return element;
  }

  function drawTile(place) {
    const row = shown[place];
    const none = (rows.word("status", row) || "no picture").replaceAll("_", " ");
    const frame = make("span", { class: "frame" }, ...rows.picture(row, "", { isLarge: wall.width > 170, none }));
    frame.style.height = `${wall.width}px`;
    if (sortValues) frame.append(make("span", { class: "badge" }, number(sortValues[row])));
    const text = state.captions ? make("small", { dir: "auto" }, "…") : null;
    const button = make("button", { type: "button", class: "tile", tabindex: place === wall.focus ? 0 : -1, "data-place": place, "data-row": row, on: { click: () => go({ open: row }) } }, frame, text);
    return make("div", { role: "gridcell", "aria-colindex": (place % wall.columns) + 1 }, button);
  }

  /** Name the tiles that can be seen by their captions, once those are here. */
  async function label() {
    const tiles = [...document.querySelectorAll("#wall .tile:not([aria-label])")];
    const places = tiles.map((tile) => Number(tile.dataset.place));
    const now = shown;
    await rows.captionsOf(places.map((place) => now[place]));
    if (now !== shown) return;
    tiles.forEach((tile, i) => {
      const row = shown[places[i]];
      const caption = rows.caption(row) || "no caption";
      const value = sortValues ? `, ${rows.scores.get(sortName).label} ${number(sortValues[row])}` : "";
      tile.setAttribute("aria-label", `${rows.told(row, caption.slice(0, 140))}${value}`);
      const small = tile.querySelector("small");
      if (small) small.textContent = caption.slice(0, 200);
    });
  }

  function focusOn(place) {
    if (place < 0 || place >= shown.length) return;
    wall.focus = place;
    const top = $("wall").getBoundingClientRect().top + Math.floor(place / wall.columns) * wall.height;
    if (top < 70) window.scrollBy({ top: top - 90, behavior: "instant" });
    else if (top + wall.height > window.innerHeight) window.scrollBy({ top: top + wall.height - window.innerHeight + 12, behavior: "instant" });
    draw();
    for (const tile of document.querySelectorAll("#wall .tile")) tile.tabIndex = Number(tile.dataset.place) === place ? 0 : -1;
    document.querySelector(`#wall .tile[data-place="${place}"]`)?.focus();
  }

  function keys(event) {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    const place = Number(tile.dataset.place);
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wall.columns, ArrowDown: wall.columns, Home: -place, End: shown.length - 1 - place };
    if (event.key in steps) { event.preventDefault(); focusOn(place + steps[event.key]); }
  }

  function orders() {
    const found = [make("option", { value: "" }, rows.lacksPictures ? "pictures first, as they come" : "as they come")];
    for (const score of rows.scores.values()) {
      found.push(make("option", { value: score.name }, `${score.label}, lowest first`));
      found.push(make("option", { value: `-${score.name}` }, `${score.label}, highest first`));
    }
    $("sort").replaceChildren(...found);
  }

  async function start() {
    rows = await Diptych.rows.open();
    state = Diptych.filters.parse();
    orders();
    $("gallery").hidden = false;
    $("filters").open = window.innerWidth > 900;
    $("search").addEventListener("input", () => { isTyping = true; });
    $("search").addEventListener("input", later((event) => {
      isTyping = false;
      go({ search: event.target.value.trim(), open: null }, { quiet: true });
    }, 150));
    $("sort").addEventListener("change", (event) => go({ sort: event.target.value }));
    $("size").addEventListener("input", (event) => go({ size: Number(event.target.value) }, { quiet: true }));
    $("captions").addEventListener("click", () => go({ captions: !state.captions }, { quiet: true }));
    $("export").addEventListener("click", () => Diptych.exported.give(rows, shown, "images.csv"));
    copies($("copy"), () => location.href);
    $("clear").addEventListener("click", () => go({ filters: new Map(), search: "", open: null }));
    $("wall").addEventListener("keydown", keys);
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/INPUT|SELECT/.test(event.target.tagName)) { event.preventDefault(); $("search").focus(); }
    });
    window.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
    window.addEventListener("resize", later(layOut, 120));
    for (const event of ["hashchange", "popstate"]) window.addEventListener(event, () => { state = Diptych.filters.parse(); update(); });
    Diptych.drawer.onClose(async (row) => {
      if (state.open !== null) await go({ open: null }, { quiet: true });
      focusOn(Math.max(0, shown.indexOf(row))); // where the drawer was opened, or where it went from there
    });
    await update();
  }

  document.addEventListener("DOMContentLoaded", () => start().catch(Diptych.complain));
})();
