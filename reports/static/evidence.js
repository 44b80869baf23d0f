// What judges saw in one image, for the drawer: boxes over the picture, answers, texts, and what the rules say of them.
"use strict";

Diptych.evidence = (() => {
  const { make, number, count, plain, foreign } = Diptych;
  const NAMED = 12; // boxes that have their names over the picture; of the others the chosen one has
  const LINES = 8; // of a list, which scrolls when it is longer
  const SAID = { answers: "answered", boxes: "saw", ratings: "rated", text: "read" };
  const files = new Map(), hidden = new Set(); // looks that are not drawn

  /** Return what judges saw in a row; a file is read once. */
  async function of(rows, row) {
    const { per_file: size, files: there } = rows.index.evidence, file = Math.floor(row / size);
    if (!there.includes(file)) return [];
    if (!files.has(file)) files.set(file, Diptych.loadJson(`evidence-${file}`));
    return (await files.get(file))[row % size];
  }

  /** Return the columns of the rules over some evidence, which are told beside it. */
  const told = (rows, seen) => new Set(seen.flatMap(({ look }) => rows.index.evidence.looks[look].rules.flatMap((rule) => rule.columns.map(([name]) => name))));

  const TABLES = { answers, ratings }; // of what does not lie in the picture

  const isPlaced = (rows, { look }) => !(rows.index.evidence.looks[look].kind in TABLES);

  const nameOf = ([label, score, , , , , traits]) => `${plain(label)} ${number(score)}${traits ? `, ${plain(traits)}` : ""}`;

  function shape(name, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    if (text !== undefined) element.textContent = text;
    return element;
  }

  /** Draw what a judge saw over a picture that lies in its frame as object-fit: contain has it; the surest lies on top. */
  function drawing(rows, { look, size, records }) {
    const letters = Math.max(...size) / 28, isText = rows.index.evidence.looks[look].kind === "text";
    const svg = shape("svg", { viewBox: `0 0 ${size.join(" ")}`, "aria-hidden": "true", class: "boxes", "data-look": look });
    records.forEach((record, place) => {
      const [, , left, top, right, bottom, , path] = record, name = nameOf(record);
      const around = path ? shape("path", { d: path }) : shape("rect", { x: left, y: top, width: right - left, height: bottom - top });
      // What was read is not written over itself: beside it, and only when it is pointed at or chosen.
      const above = top - letters * 0.35, line = !isText ? top + letters : above > letters ? above : bottom + letters;
      const group = shape("g", { class: place < NAMED && !isText ? "is-named" : "" });
      group.append(shape("title", {}, name), around, shape("text", { ...(left > size[0] / 2 ? { x: right, "text-anchor": "end" } : { x: left }), y: line, "font-size": letters }, name));
      svg.prepend(group);
    });
    svg.toggleAttribute("hidden", hidden.has(look));
    return svg;
  }

  const drawings = (rows, seen) => seen.filter((one) => isPlaced(rows, one)).map((one) => drawing(rows, one));

  /** Return what the rules over some evidence say of a row: a line for each column, a column for each rule. */
  async function verdicts(rows, row, rules, reasons) {
    const titles = [...new Set(rules.flatMap((rule) => rule.columns.map(([, title]) => title)))];
    const cell = async ([name] = []) => {
      if (name === undefined) return "";
      const value = rows.scores.has(name) ? (await rows.score(name))[row] : NaN;
      const word = (rows.word(name, row) || rows.index.same[name]?.value)?.replaceAll("_", " ");
      return Number.isNaN(value) ? word || (reasons?.[name] ? `not scored: ${reasons[name].replaceAll("_", " ")}` : "–") : number(value);
    };
    const lines = await Promise.all(titles.map(async (title) => [title, ...await Promise.all(rules.map((rule) => cell(rule.columns.find((column) => column[1] === title))))]));
    return table(["Rule", ...rules.map((rule) => rule.label)], lines);
  }

  function table(titles, lines) {
    const cells = (tag, texts, scope) => texts.map((text, place) => (place ? make(tag, { scope, dir: "auto" }, plain(text)) : make("th", { scope: scope ?? "row", dir: "auto" }, plain(text))));
    const head = make("thead", {}, make("tr", {}, ...cells("th", titles, "col")));
    const whole = make("table", {}, head, make("tbody", {}, ...lines.map((line) => make("tr", {}, ...cells("td", line)))));
    return make("div", lines.length > LINES ? { class: "scroll-of long", role: "group", "aria-label": "Table", tabindex: 0 } : { class: "scroll-of" }, whole);
  }

  function answers({ records }) {
    const lines = records.map(([question, answer, probability, state, right, split]) => {
      const said = state ? `no answer (${state.replaceAll("_", " ")})${answer ? `: ${answer}` : ""}` : answer;
      const judged = split || (right && `expected ${right}`);
      return [question, judged ? `${said}, ${judged}` : said, probability === null ? "" : number(probability)];
    });
    return [table(["Question", "Answer", "Probability"], lines)];
  }

  function ratings({ records }) {
    return [table(["Rater", "Rating", "Note"], records.map(([rater, value, note]) => [rater, number(value), note]))];
  }

  /** List boxes or texts in the order of the judge; the chosen one stands out in the picture. */
  function list(dialog, { look, records }) {
    const options = records.map((record) => make("option", { dir: "auto" }, nameOf(record)));
    const own = () => dialog.querySelector(`svg[data-look="${look}"]`);
    const choose = (event) => {
      own().querySelector(".is-chosen")?.classList.remove("is-chosen");
      own().children[records.length - 1 - event.target.selectedIndex].classList.add("is-chosen");
    };
    const drawn = make("input", { type: "checkbox", checked: !hidden.has(look), on: { change: (event) => {
      hidden[event.target.checked ? "delete" : "add"](look);
      own().toggleAttribute("hidden", hidden.has(look));
    } } });
    return [make("label", { class: "soft" }, drawn, " outlined in the picture"),
      make("select", { class: "seen", size: Math.min(Math.max(records.length, 2), LINES), "aria-label": "One of them stands out in the picture", on: { change: choose } }, ...options)];
  }

  /** Return a part for each judge: its name, what the rules say, and what it saw. */
  function parts(rows, row, seen, { dialog, reasons }) {
    return Promise.all(seen.map(async (one) => {
      const { judge, kind, threshold, rules } = rows.index.evidence.looks[one.look];
      const sure = threshold ? ` surer than ${number(threshold)}` : "";
      const nothing = make("p", { class: "soft" }, `Nothing${sure}.`);
      const more = one.left_out ? make("p", { class: "soft" }, `and ${count(one.left_out)} more`) : null;
      const what = !one.records.length ? [nothing] : TABLES[kind]?.(one) ?? list(dialog, one);
      return make("div", {}, make("h3", {}, "What ", foreign(judge), ` ${SAID[kind]}`), await verdicts(rows, row, rules, reasons), ...what, more);
    }));
  }

  return { of, told, drawings, parts };
})();
