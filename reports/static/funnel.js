// Funnel: move a line and see what it would keep, counted over all rows, and which pictures lie next to it.
"use strict";

(() => {
  const { make, number, count, later, copies } = Diptych;
  const SHOWN = 12;

  /** Return how many rows lie below a line and how many at most at it: both are known at the lines that were counted. */
  function lies(lines, counts, line) {
    let first = 0, last = lines.length;
    while (first < last) { const middle = (first + last) >> 1; if (lines[middle] < line) first = middle + 1; else last = middle; }
    if (lines[first] === line) return { below: [counts.below[first], counts.below[first]], upto: [counts.upto[first], counts.upto[first]] };
    const between = [first ? counts.upto[first - 1] : 0, first < lines.length ? counts.below[first] : counts.rows];
    return { below: between, upto: between };
  }

  /** Return the least and the most rows that a line can keep; they are equal at every line of the slider. */
  function kept(facts, counts, line) {
    const { below, upto } = lies(facts.lines, counts, line);
    if (facts.operator === "<") return below;
    if (facts.operator === "<=") return upto;
    return (facts.operator === ">" ? upto : below).map((some) => counts.rows - some).reverse();
  }

  const keeps = { ">": (value, line) => value > line, ">=": (value, line) => value >= line, "<": (value, line) => value < line, "<=": (value, line) => value <= line };
  const told = ([least, most]) => (least === most ? count(least) : `${count(least)} to ${count(most)}`);

  /** Return the shortest number that is compared as this one. */
  function shortest(facts, line) {
    if (!facts.is_single) return line;
    for (let digits = 1; digits < 10; digits += 1) if (Math.fround(Number(line.toPrecision(digits))) === line) return Number(line.toPrecision(digits));
    return line;
  }

  /** Return a number with all its digits. */
  const exact = (value) => (Number.isInteger(value) && Math.abs(value) < 1e15 ? count(value) : String(value));

  /** Return a number in SQL that is compared in the precision of the rule's own: one with an exponent is a double there. */
  function inSql(facts, line) {
    if (facts.is_raised) return line.toExponential();
    const isCast = facts.is_single && String(line).includes("e") && Number.isFinite(Math.fround(line)); // else all are on one side
    return isCast ? `CAST(${line} AS FLOAT)` : String(line);
  }

  /** Return the rule with another number, as a config has it. A text of JSON is one of YAML, but for some white space. */
  function asYaml(facts, line) {
    const { around, name } = facts.rule;
    const where = JSON.stringify(`${around[0]}${inSql(facts, line)}${around[1]}`);
    const isWord = /^(?:y|n|yes|no|on|off|true|false|null)$/.test(name); // that YAML takes for something else
    return `- name: ${isWord ? JSON.stringify(name) : name}\n  where: ${where.replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)}`;
  }

  /** Make the slider and the number field of one threshold. */
  async function offer(rows, box) {
    const { dataset, column, title, sign } = box.dataset;
    const facts = await Diptych.loadJson(box.dataset.file);
    const total = Number(box.dataset.total), low = Number(box.dataset.low), high = Number(box.dataset.high);
    const compared = (line) => (facts.is_single ? Math.fround(line) : line);
    const values = rows.scores.get(column)?.n ? await rows.score(column) : null;
    const facet = rows.facets.get("dataset");
    const mine = facet ? facet.values.indexOf(dataset) : -1;
    const seen = [];
    for (let row = 0; values && row < rows.n; row += 1) if ((mine < 0 || facet.codes[row] === mine) && !Number.isNaN(values[row]) && rows.thumb(row)) seen.push(row);

    const slider = make("input", { type: "range", min: 0, max: facts.places.length - 1, step: 1, "aria-label": `Try another line for ${title}` });
    const field = make("input", { type: "number", step: "any", "aria-label": `The line for ${title}` });
    const back = make("button", { type: "button", class: "quiet" }, `Back to ${exact(facts.value)}`);
    const copy = make("button", { type: "button", class: "quiet" }, "Copy the rule");
    const show = make("a", { href: "gallery.html" });
    const yaml = make("pre", { tabindex: 0, "aria-label": "The rule as YAML" });
    const text = box.querySelector(".kept");
    const pole = box.querySelector(".pole span");
    const given = { text: text.textContent, pole: pole.textContent, sides: [...box.querySelectorAll(".side")].map((side) => [...side.childNodes]) };
    const home = facts.places.indexOf(facts.own);

    function draw(line, place) {
      const isOwn = compared(line) === facts.lines[facts.own];
      slider.value = place;
      slider.setAttribute("aria-valuetext", `${sign} ${exact(line)}`);
      if (document.activeElement !== field) field.value = line;
      const at = `${high > low ? Math.min(100, Math.max(0, (100 * (line - low)) / (high - low))) : 50}%`;
      for (const end of ["x1", "x2"]) box.querySelector(".line").setAttribute(end, at);
      back.hidden = copy.hidden = yaml.hidden = isOwn;
      show.hidden = isOwn || !values;
      show.setAttribute("href", selection(compared(line)));
      yaml.textContent = asYaml(facts, line);
      pole.textContent = isOwn ? given.pole : `${title} ${sign} ${exact(line)}`;
      text.textContent = isOwn ? given.text : say(line);
      if (isOwn) box.querySelectorAll(".side").forEach((side, i) => side.replaceChildren(...given.sides[i]));
      else beside(compared(line));
    }

    /** Return the address of the images that the line keeps or rejects: of those a range of the gallery can say. */
    function selection(line) {
      const isRejected = facts.operator.startsWith(">");
      const range = facts.operator === ">" || facts.operator === "<=" ? `..${line}]` : `..${line}`;
      show.textContent = `Images that it ${isRejected ? "rejects" : "keeps"}`;
      return `gallery.html#${[["dataset", rows.asFilter(dataset)], [column, range]].map((part) => `f=${part.map(encodeURIComponent).join(":")}`).join("&")}&s=${isRejected ? "-" : ""}${encodeURIComponent(column)}`;
    }

    function say(line) {
      const alone = told(kept(facts, facts.alone, compared(line)));
      const final = facts.final ? `, and with all other steps ${told(kept(facts, facts.final, compared(line)))}` : "";
      return `${title} ${sign} ${exact(line)} would keep ${alone} of ${count(total)} rows by itself${final}.`;
    }

    function beside(line) {
      const near = [...seen].sort((a, b) => Math.abs(values[a] - line) - Math.abs(values[b] - line) || a - b);
      const stays = (row) => keeps[facts.operator](values[row], line);
      const sides = box.querySelectorAll(".side");
      const of = rows.total > rows.n ? ` of the ${count(seen.length)} shown here` : "";
      fill(sides[0], `Just rejected by itself${of}`, near.filter((row) => !stays(row)).slice(0, SHOWN));
      fill(sides[1], `Just kept by itself${of}`, near.filter(stays).slice(0, SHOWN));
    }

    function fill(side, heading, list) {
      const shots = list.map((row) => rows.figure(row, number(values[row])));
      side.replaceChildren(make("h3", {}, heading), make("div", { class: "shots tiny" }, ...shots));
    }

    const nearest = (line) => facts.places.reduce((best, at, place) => (Math.abs(facts.lines[at] - line) < Math.abs(facts.lines[facts.places[best]] - line) ? place : best), 0);
    const slide = () => draw(slider.value === String(home) ? facts.value : shortest(facts, facts.lines[facts.places[slider.value]]), slider.value);
    slider.addEventListener("input", later(slide, 30));
    field.addEventListener("input", later(() => { if (field.value !== "") draw(Number(field.value), nearest(Number(field.value))); }, 120));
    back.addEventListener("click", () => { slider.focus(); draw(facts.value, home); });
    copies(copy, () => yaml.textContent);
    box.querySelector(".plot").after(make("div", { class: "try" }, slider, make("label", {}, `Line ${sign} `, field), back, copy, show, yaml));
    draw(facts.value, home);
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
