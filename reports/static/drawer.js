// The drawer: one image, everything that is known of it, and its likes.
"use strict";

Diptych.drawer = (() => {
  const { make, redraw, number, count, plain, foreign, webAddress } = Diptych;
  const LIKES = 60;
  const dialog = () => document.getElementById("drawer");
  let rows, shown, current = null, tell = () => {}, closed = () => {}, run = 0;

  function open(all, list, row, select) {
    [rows, shown, tell] = [all, list, select];
    if (current === row && dialog().open) return;
    show(row);
    if (!dialog().open) dialog().showModal();
  }

  const close = () => dialog()?.close();

  function step(by) {
    const place = shown.indexOf(current) + by;
    if (place >= 0 && place < shown.length) { show(shown[place]); tell(current); }
  }

  async function show(row) {
    current = row;
    const mine = ++run;
    const [details, seen] = await Promise.all([rows.details(row), Diptych.evidence.of(rows, row), rows.captionsOf([row])]);
    const scores = [];
    for (const score of rows.scores.values()) {
      const values = await rows.score(score.name);
      if (!Number.isNaN(values[row])) scores.push([score, values[row], rank(values, values[row])]);
      else if (details.reasons?.[score.name]) scores.push([score, NaN, details.reasons[score.name]]);
    }
    const judged = await Diptych.evidence.parts(rows, row, seen, { dialog: dialog(), reasons: details.reasons });
    if (mine !== run) return;
    const place = shown.indexOf(row);
    const caption = rows.caption(row) || "No caption";
    const none = `no picture: \u2068${plain((details.problem ?? "").replaceAll("_", " "))}\u2069`;
    redraw(dialog(),
      make("div", { class: "tools" },
        make("span", { class: "soft grow" }, place < 0 ? "not in this selection" : `${count(place + 1)} of ${count(shown.length)}`),
        make("button", { type: "button", class: "quiet", "data-field": "previous", "aria-label": "Previous image", disabled: place <= 0, on: { click: () => step(-1) } }, "←"),
        make("button", { type: "button", class: "quiet", "data-field": "next", "aria-label": "Next image", disabled: place < 0 || place >= shown.length - 1, on: { click: () => step(1) } }, "→"),
        make("button", { type: "button", class: "quiet", on: { click: close } }, "Close")),
      make("div", { class: "frame" }, ...rows.picture(row, caption.slice(0, 300), { isLarge: true, none }), ...Diptych.evidence.drawings(rows, seen)),
      make("h2", { id: "drawer-title", dir: "auto" }, caption),
      ...[...judged, likes(row), scoreList(scores), facts(row, details, Diptych.evidence.told(rows, seen))].filter(Boolean));
    dialog().scrollTop = 0;
  }

  /** Return which share of the values lies below, in percent. */
  function rank(values, value) {
    let below = 0, all = 0;
    for (const other of values) {
      if (Number.isNaN(other)) continue;
      all += 1;
      if (other < value) below += 1;
    }
    return Math.round((100 * below) / all);
  }

  function facts(row, details, told) {
    const list = make("dl", { class: "pairs" });
    const box = make("div", {}, make("h3", {}, "Facts"), list);
    for (const facet of rows.facets.values()) {
      const word = told.has(facet.name) ? "" : rows.word(facet.name, row);
      if (word) list.append(make("dt", {}, facet.label), make("dd", { dir: "auto" }, word.replaceAll("_", " ")));
    }
    for (const [name, { label, value }] of Object.entries(rows.index.same)) if (!told.has(name)) list.append(make("dt", {}, label), make("dd", { dir: "auto" }, value.replaceAll("_", " ") || "(empty)"));
    for (const [name, label] of Object.entries(rows.index.details)) {
      if (details[name] === undefined) continue;
      const address = name === "url" ? webAddress(details[name]) : "";
      const value = address ? make("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, details[name]) : details[name];
      list.append(make("dt", {}, label), make("dd", { dir: "auto" }, value === "" ? "(empty)" : value));
    }
    return box;
  }

  function scoreList(scores) {
    if (!scores.length) return null;
    const list = make("dl", { class: "pairs" });
    for (const [score, value, place] of scores) {
      const text = Number.isNaN(value)
        ? ["not scored: ", foreign(String(place).replaceAll("_", " "))]
        : [`${number(value)} `, score.unit ? foreign(score.unit) : null, " ", make("span", { class: "soft" }, `above ${place} %${rows.sampleNote}`), make("meter", { class: "rank", min: 0, max: 100, value: place, "aria-label": `${score.label}: above ${place} %${rows.sampleNote || " of all"}` })];
      list.append(make("dt", { title: score.text, dir: "auto" }, score.label), make("dd", {}, ...text.filter((one) => one !== null)));
    }
    return make("div", {}, make("h3", {}, "Scores"), list);
  }

  /** Return the other pictures of the same prompt and seed. */
  function likes(row) {
    const pair = rows.pairs[row];
    if (pair < 0) return null;
    const others = [];
    for (let other = 0; other < rows.n; other += 1) {
      if (rows.pairs[other] === pair && other !== row && rows.thumb(other)) others.push(other);
    }
    if (!others.length) return null;
    const more = others.length > LIKES ? make("p", { class: "soft" }, `and ${count(others.length - LIKES)} more, on Compare`) : null;
    const tiles = others.slice(0, LIKES).map((other) => {
      const dataset = rows.word("dataset", other);
      const names = [rows.word("model", other), rows.word("setting", other), dataset === rows.word("dataset", row) ? "" : dataset].filter(Boolean);
      const button = make("button", { type: "button", class: "tile", "aria-label": rows.told(other, names.join(", ")), on: { click: () => { show(other); tell(other); } } },
        make("span", { class: "frame" }, ...rows.picture(other)), make("small", {}, ...names.flatMap((name, place) => (place ? [", ", foreign(name)] : [foreign(name)]))));
      return make("div", {}, button);
    });
    return make("div", {}, make("h3", {}, `Same prompt, same ${rows.drawWord}`), make("div", { class: "shots small" }, ...tiles), more);
  }

  document.addEventListener("DOMContentLoaded", () => {
    dialog().addEventListener("close", () => { const last = current; current = null; run += 1; closed(last); });
    dialog().addEventListener("click", (event) => { if (event.target === dialog()) close(); });
    dialog().addEventListener("keydown", (event) => {
      if (event.target.matches("select")) return; // moves and looks for names there
      if (event.key === "ArrowLeft" || event.key === "k") step(-1);
      if (event.key === "ArrowRight" || event.key === "j") step(1);
    });
  });

  return { open, close, onClose: (call) => { closed = call; } };
})();
