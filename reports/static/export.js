// Export: a selection of images as a table for a spreadsheet or a script, with the keys by which they are found again.
"use strict";

Diptych.exported = (() => {
  const FIRST = ["dataset", "key", "shard", "shard_row", "url", "sha256"];
  // Whitespace and invisible letters, then a sign, also a wide one, or a break at the start: a spreadsheet may run that.
  const FORMULA = /^(?:[\s\u0000-\u0020\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]|[\t\r\n\v\f])/;
  const NUMBER = /^-?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|Infinity)$/i;

  /** Return a cell in quotes; what a spreadsheet would run as a formula has an apostrophe before it. */
  function cell(text) {
    return `"${(FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  }

  /** Return the columns of a table: name -> what a row has there, each name once. */
  async function columns(rows, list) {
    await rows.allCaptions();
    const details = new Map();
    for (const row of list) details.set(row, await rows.details(row));
    const found = new Map();
    const numbers = new Map();
    for (const name of rows.scores.keys()) numbers.set(name, await rows.score(name));
    /** A carried number that a rule compares is a score, too: it is given as that, where a row has it. */
    const add = (name, of) => {
      const values = numbers.get(name);
      if (!found.has(name)) found.set(name, values ? (row) => (Number.isNaN(values[row]) ? of(row) : String(values[row])) : of);
    };
    const { same, details: told } = rows.index;
    for (const name of FIRST) {
      if (rows.facets.has(name)) add(name, (row) => rows.word(name, row));
      else if (name in same) add(name, () => same[name].value);
      else add(name, (row) => details.get(row)[name] ?? "");
    }
    add("caption", (row) => rows.caption(row) ?? "");
    for (const name of Object.keys(same)) add(name, () => same[name].value);
    for (const name of rows.facets.keys()) add(name, (row) => rows.word(name, row));
    for (const name of Object.keys(told)) add(name, (row) => details.get(row)[name] ?? "");
    for (const name of numbers.keys()) add(name, () => "");
    return found;
  }

  /** Return rows of images as CSV; `lead` says what stands before each, by column. */
  async function csv(rows, list, lead = {}) {
    const own = await columns(rows, list);
    const named = (name) => (name in lead ? `source_${name}` : name); // as ingest calls a carried column with a name of ours
    const lines = [[...Object.keys(lead), ...[...own.keys()].map(named)].map(cell).join(",")];
    list.forEach((row, place) => lines.push([...Object.values(lead).map((cells) => cells[place]), ...[...own.values()].map((of) => of(row))].map(cell).join(",")));
    return `${lines.join("\r\n")}\r\n`;
  }

  /** Give a table to whoever looks at the page. */
  async function give(rows, list, file, lead) {
    const address = URL.createObjectURL(new Blob([await csv(rows, list, lead)], { type: "text/csv" }));
    Diptych.make("a", { href: address, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  return { give };
})();
