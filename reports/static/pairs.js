// Pairs: which pictures stand beside one another (the same prompt and seed), and how many of them one side wins.
"use strict";

Diptych.pairs = (() => {
  const EACH = "of each its own";

  /** What can be compared in the rows of a report. */
  class Pairs {
    constructor(rows) {
      this.rows = rows;
      this.paired = [...rows.pairs.keys()].filter((row) => rows.pairs[row] >= 0);
    }

    /** A facet of one value is not in the data; then every row that has a pair has it. */
    word(name, row) {
      return this.rows.facets.has(name) ? this.rows.word(name, row) : (name === "model" ? this.rows.models[0] : "");
    }

    /** Return all words of an axis, in their order. */
    words(axis) {
      return axis === "model" ? this.rows.models : this.rows.facets.get(axis)?.values ?? [];
    }

    gather(key, word) {
      const found = new Map();
      for (const row of this.paired) {
        if (!found.has(key(row))) found.set(key(row), new Set());
        found.get(key(row)).add(word(row));
      }
      return found;
    }

    /** Return whether models with one setting each differ in it, on some benchmark, and which rows are of such models. */
    ownSettings() {
      const benchmarkAndModel = (row) => JSON.stringify([this.rows.word("benchmark", row), this.word("model", row)]);
      const settings = this.gather(benchmarkAndModel, (row) => this.word("setting", row));
      const isSingle = (row) => settings.get(benchmarkAndModel(row)).size === 1;
      const single = new Map();
      for (const row of this.paired.filter(isSingle)) {
        const name = this.rows.word("benchmark", row);
        if (!single.has(name)) single.set(name, new Set());
        single.get(name).add(this.word("setting", row));
      }
      return { isSingle, differ: [...single.values()].some((found) => found.size > 1), isAll: this.paired.every(isSingle) };
    }

    /** Return what pictures beside one another may have in common: text and which rows; only what makes pairs. */
    choices(across) {
      const other = across === "model" ? "setting" : "model";
      const own = this.ownSettings();
      const ofEach = { text: EACH, keep: own.isSingle, isOwn: true };
      if (across === "model" && own.differ && own.isAll) return [ofEach];
      const sides = this.gather((row) => this.word(other, row), (row) => this.word(across, row));
      const all = this.words(other).filter((word) => sides.get(word)?.size > 1);
      const found = all.map((word) => ({ text: word, keep: (row) => this.word(other, row) === word }));
      if (!found.length && sides.size === 1) found.push({ text: "the only one", keep: () => true }); // no facet of one value
      return across === "model" && own.differ ? [...found, ofEach] : found;
    }

    /**
     * Group rows by prompt and seed, and by what they have in common; each group knows its row by column. Where several
     * datasets have one, each is in a group, with others of its dataset if it can.
     */
    groups(across, chosen) {
      const found = new Map();
      for (const choice of chosen) {
        for (const row of this.paired) {
          if (!choice.keep(row)) continue;
          const key = JSON.stringify([this.rows.pairs[row], choice.text]);
          if (!found.has(key)) found.set(key, []);
          const label = this.word(across, row), dataset = this.rows.word("dataset", row);
          const free = found.get(key).filter(({ cells }) => !cells.has(label));
          let group = free.find(({ datasets }) => datasets.has(dataset)) ?? free[0];
          if (!group) {
            group = { pair: this.rows.pairs[row], choice, cells: new Map(), datasets: new Set(), first: row, prompt: this.prompt(row) };
            found.get(key).push(group);
          }
          group.cells.set(label, row);
          group.datasets.add(dataset);
        }
      }
      const all = [...found.values()].map((same) => same.filter(({ cells }) => cells.size > 1));
      for (const same of all) for (const group of same) group.isOneOfSeveral = same.length > 1;
      return all.flat().sort((a, b) => a.pair - b.pair);
    }

    prompt(row) {
      return JSON.stringify([this.rows.word("benchmark", row), this.rows.word("prompt_id", row), this.rows.index.captions.codes[row]]);
    }

    /** Return the labels of columns that some group has. */
    columns(across, groups) {
      return this.words(across).filter((label) => groups.some(({ cells }) => cells.has(label)));
    }
  }

  const value = (values, row) => (row === undefined ? NaN : values[row]);

  /** Return how far the values of a group lie apart; -1 where there are no two. */
  function spread(values, columns, { cells }) {
    const known = columns.map((label) => value(values, cells.get(label))).filter((one) => !Number.isNaN(one));
    return known.length > 1 ? Math.max(...known) - Math.min(...known) : -1;
  }

  /** Return by how much b has more than a; NaN where one of them has no value. */
  function step(values, [a, b], { cells }) {
    return value(values, cells.get(b)) - value(values, cells.get(a));
  }

  /** Return how often b has more than a, as much and less, over all groups and by prompt. */
  function tally(values, sides, groups) {
    const all = [0, 0, 0], byPrompt = new Map();
    for (const group of groups) {
      if (!byPrompt.has(group.prompt)) byPrompt.set(group.prompt, [0, 0, 0]);
      const by = step(values, sides, group);
      if (Number.isNaN(by)) continue;
      for (const counts of [all, byPrompt.get(group.prompt)]) counts[by > 0 ? 0 : by === 0 ? 1 : 2] += 1;
    }
    return { all, byPrompt };
  }

  /** Return groups in an order: see the page for what each is called. */
  function ordered(groups, order, values, columns, sides) {
    const by = (key) => groups.map((group, place) => [key(group), place, group]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , group]) => group);
    const last = (number) => (Number.isNaN(number) ? Infinity : number);
    if (order === "apart") return by((group) => -spread(values, columns, group));
    if (order === "differ") return groups.filter((group) => spread(values, columns, group) > 0);
    if (order === "more") return by((group) => last(-step(values, sides, group)));
    if (order === "less") return by((group) => last(step(values, sides, group)));
    if (order === "prompts") {
      const { byPrompt } = tally(values, sides, groups);
      const places = new Map([...byPrompt.keys()].map((prompt, place) => [prompt, place]));
      return by(({ prompt }) => (byPrompt.get(prompt)[0] - byPrompt.get(prompt)[2]) * places.size + places.get(prompt));
    }
    return groups;
  }

  return { Pairs, tally, ordered };
})();
