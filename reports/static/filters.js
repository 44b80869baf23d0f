// Filters: the state of the gallery as its address has it, and what it asks of an image.
"use strict";

Diptych.filters = (() => {
  const { number } = Diptych;

  /** Read the state from the address. */
  function parse() {
    const found = { filters: new Map(), sort: "", search: "", open: null, size: 2, captions: false };
    for (const part of location.hash.slice(1).split("&")) {
      const cut = part.indexOf("=");
      const key = part.slice(0, cut), text = part.slice(cut + 1);
      try {
        if (key === "f") {
          const [column, value] = text.split(":").map(decodeURIComponent);
          if (value !== undefined) found.filters.set(column, [...(found.filters.get(column) ?? []), value]);
        } else if (key === "s") found.sort = decodeURIComponent(text);
        else if (key === "q") found.search = decodeURIComponent(text);
        else if (key === "sel" && /^\d+$/.test(text)) found.open = Number(text);
        else if (key === "v" && /^[1-4]$/.test(text)) found.size = Number(text);
        else if (key === "c") found.captions = text === "1";
      } catch { /* a broken escape in a link that somebody typed */ }
    }
    return found;
  }

  function format(state) {
    const parts = [];
    const escaped = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    for (const [column, values] of state.filters) for (const value of values) parts.push(`f=${escaped(column)}:${escaped(value)}`);
    if (state.sort) parts.push(`s=${escaped(state.sort)}`);
    if (state.search) parts.push(`q=${escaped(state.search)}`);
    if (state.size !== 2) parts.push(`v=${state.size}`);
    if (state.captions) parts.push("c=1");
    if (state.open !== null) parts.push(`sel=${state.open}`);
    return parts.length ? `#${parts.join("&")}` : "#";
  }

  /** Return a test of a value for "0.1..0.2", "..5]" or "none"; its ends are rounded as the values are. */
  function readRange(rows, text, round) {
    if (text === rows.missing) return Number.isNaN;
    const match = /^(.*?)\.\.(.*?)(\]?)$/.exec(text);
    if (!match) return () => false;
    const low = match[1] === "" ? -Infinity : round(Number(match[1]));
    const high = match[2] === "" ? Infinity : round(Number(match[2]));
    const closed = match[3] === "]" || high === Infinity;
    return (value) => value >= low && (closed ? value <= high : value < high);
  }

  /** Return the word that a filter asks for, see `rows.asFilter`. */
  function wordOf(value) {
    return value.startsWith("=") ? value.slice(1) : value;
  }

  /** Return a test of a row's code for the words that are wanted: "none" is no word, ".." is any. */
  function readWords(rows, facet, wanted) {
    const codes = new Set(wanted.filter((value) => value !== rows.missing && value !== "..").map((value) => facet.values.indexOf(wordOf(value))).filter((code) => code >= 0));
    if (wanted.includes(rows.missing)) codes.add(-1);
    if (wanted.includes("..")) facet.values.forEach((_, code) => codes.add(code));
    return (row) => rows.codesOf(facet, row).some((code) => codes.has(code));
  }

  /** Return whether a column fits that is neither a facet nor a score: it says the same of all images, or nothing. */
  function fitsAll(rows, column, wanted) {
    const known = rows.index.same[column]?.value;
    return wanted.includes(known === undefined ? rows.missing : "..") || (known !== undefined && wanted.includes(rows.asFilter(known)));
  }

  /** Return whether a filter of a column that is a facet and a score, too, asks for numbers: a range, any or none. */
  function isOfNumbers(rows, facet, value) {
    return value === rows.missing || (/^[^:=]*\.\.[^:]*$/.test(value) && !facet.values.includes(value));
  }

  /** Return a list of tests of a row, one per filtered column. */
  async function tests(rows, state) {
    const found = [];
    for (const [column, wanted] of state.filters) {
      const facet = rows.facets.get(column), score = rows.scores.get(column), reasons = rows.index.reasons[column];
      const fits = !facet && !score && fitsAll(rows, column, wanted), either = [() => fits];
      const ranges = score ? wanted.filter((value) => !facet || isOfNumbers(rows, facet, value)) : [];
      if (facet) either.push(readWords(rows, facet, wanted.filter((value) => !ranges.includes(value))));
      if (ranges.length) {
        const values = await rows.score(column);
        const round = score.is_single ? Math.fround : Number;
        for (const range of ranges.map((text) => readRange(rows, text, round))) either.push((row) => range(values[row]));
      }
      for (const text of wanted.filter((value) => reasons && value.startsWith(`${rows.missing}:`))) {
        const code = reasons.values.indexOf(text.slice(rows.missing.length + 1));
        either.push((row) => code >= 0 && reasons.codes[row] === code);
      }
      found.push({ column, test: (row) => either.some((test) => test(row)) });
    }
    if (state.search) {
      const hits = await rows.search(state.search);
      const { codes } = rows.index.captions;
      found.push({ column: "", test: (row) => codes[row] >= 0 && hits[codes[row]] });
    }
    return found;
  }

  /** Return a filter in words. */
  function describe(rows, value) {
    const match = /^(.*?)\.\.(.*?)\]?$/.exec(value);
    if (value === rows.missing) return "without";
    if (value === "..") return "with";
    if (value.startsWith(`${rows.missing}:`)) return `without, ${value.slice(rows.missing.length + 1).replaceAll("_", " ")}`;
    if (!match || Number.isNaN(Number(match[1])) || Number.isNaN(Number(match[2]))) return wordOf(value).replaceAll("_", " ") || "empty";
    if (match[1] === match[2]) return number(Number(match[1]));
    if (match[1] === "") return `below ${number(Number(match[2]))}`;
    return match[2] === "" ? `from ${number(Number(match[1]))}` : `${number(Number(match[1]))} to ${number(Number(match[2]))}`;
  }

  return { parse, format, tests, describe };
})();
