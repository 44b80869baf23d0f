// Facets: what the gallery can be filtered by, each value with how many images it would leave, and ranges of scores.
"use strict";

Diptych.facets = (() => {
  const { make, redraw, number, count } = Diptych;
  const FEW = 12, MOST = 300; // values that are shown at once: of a list as it is, and of one that was opened
  const RANGE = /^(.*?)\.\.(.*?)\]?$/;
  const shown = (value) => value.replaceAll("_", " ");
  const wide = new Set(); // the lists that were opened
  const sought = new Map(); // what is looked for in them

  /** Draw all facets anew; what is open stays open. */
  function draw(box, all) {
    const open = new Set([...box.querySelectorAll("details[open]")].map((part) => part.dataset.name));
    const parts = [];
    for (const facet of all.rows.facets.values()) {
      if (facet.listed && facet.values.length > 1) parts.push(drawFacet(box, facet, all));
    }
    for (const score of all.rows.scores.values()) parts.push(drawScore(score, open.has(score.name), all));
    redraw(box, ...parts.filter(Boolean));
  }

  /** Return how many images each value of a facet would leave under the other filters. */
  function totalsOf(facet, { rows, failed, columns }) {
    const own = columns.indexOf(facet.name), totals = new Int32Array(facet.values.length);
    for (let row = 0; row < rows.n; row += 1) {
      if (failed[row] !== -1 && (own < 0 || failed[row] !== own)) continue;
      for (const code of rows.codesOf(facet, row)) if (code >= 0) totals[code] += 1;
    }
    return totals;
  }

  function drawFacet(box, facet, all) {
    const totals = totalsOf(facet, all);
    const wanted = all.filters.get(facet.name) ?? [];
    const filters = facet.values.map((value) => all.rows.asFilter(value));
    const isWanted = (code) => wanted.includes(filters[code]);
    const found = facet.values.map((_, code) => code).filter((code) => totals[code] > 0 || isWanted(code));
    if (!found.length) return null;
    if (found.length > FEW) found.sort((a, b) => isWanted(b) - isWanted(a) || totals[b] - totals[a] || a - b);
    const words = shown(sought.get(facet.name) ?? "").toLowerCase();
    const fitting = words ? found.filter((code) => shown(facet.values[code]).toLowerCase().includes(words)) : found;
    const labels = fitting.slice(0, wide.has(facet.name) ? MOST : FEW).map((code) => {
      const value = facet.values[code], filter = filters[code];
      const toggle = (event) => all.setFilter(facet.name, event.target.checked ? [...wanted, filter] : wanted.filter((one) => one !== filter));
      const tick = make("input", { type: "checkbox", "data-field": `${facet.name}:${value}`, checked: isWanted(code), on: { change: toggle } });
      return make("label", { title: value }, tick, make("span", { dir: "auto" }, shown(value) || "empty"), make("span", { class: "soft" }, count(totals[code])));
    });
    return make("fieldset", { class: "facet" }, make("legend", {}, facet.label), ...labels, ...more(box, facet, all, found.length, fitting.length - labels.length));
  }

  /** Return what opens a list that is longer than what is shown, and what looks for a value in it. */
  function more(box, facet, all, length, hidden) {
    if (length <= FEW) return [];
    const again = () => draw(box, all);
    const isWide = wide.has(facet.name);
    const turn = () => { if (isWide) { wide.delete(facet.name); sought.delete(facet.name); } else wide.add(facet.name); again(); };
    const button = make("button", { type: "button", class: "quiet", "data-field": `more:${facet.name}`, "aria-expanded": String(isWide), on: { click: turn } }, isWide ? "Show fewer" : `Show all ${count(length)}`);
    if (!isWide) return [button];
    const seek = make("input", { type: "search", "data-field": `seek:${facet.name}`, "aria-label": `Find in ${facet.label}`, placeholder: `Find in ${facet.label}`, on: { input: (event) => {
      sought.set(facet.name, event.target.value);
      again();
      const drawn = box.querySelector(`[data-field="${CSS.escape(`seek:${facet.name}`)}"]`);
      drawn?.setSelectionRange(drawn.value.length, drawn.value.length);
    } } });
    seek.value = sought.get(facet.name) ?? "";
    return [hidden > 0 ? make("span", { class: "soft" }, `and ${count(hidden)} more; find them by a part of the word`) : null, seek, button];
  }

  function drawScore(score, isOpen, { filters, setFilter }) {
    const current = (filters.get(score.name) ?? []).map((text) => RANGE.exec(text)).find(Boolean);
    const ends = ["low", "high"].map((end, i) => make("input", {
      type: "number", step: "any", "data-field": `${score.name}:${i}`, "aria-label": `${score.label}, ${i ? "highest" : "lowest"}`, value: current ? current[i + 1] : "",
      placeholder: score[end] === null ? "" : number(score[end]).replaceAll(",", ""), on: { change: () => apply() },
    }));
    const apply = () => {
      const [low, high] = ends.map((input) => input.value.trim());
      setFilter(score.name, low || high ? [`${low}..${high}]`.replace("..]", "..")] : []);
    };
    return make("details", { class: "facet", open: isOpen || current !== undefined, "data-name": score.name },
      make("summary", { title: score.text, dir: "auto" }, score.label), make("div", { class: "range" }, ...ends));
  }

  return { draw };
})();
