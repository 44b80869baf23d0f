// The rows of the report as columns; scores, captions and details come when somebody asks for them.
"use strict";

Diptych.rows = (() => {
  const { make, count } = Diptych;
  const NO_PICTURE = 1, BLURRED = 2, HAS_PREVIEW = 4;

  class Rows {
    constructor(index, thumbs) {
      this.n = index.n;
      this.total = index.total;
      this.facets = new Map(index.facets.map((facet) => [facet.name, facet]));
      this.scores = new Map(index.scores.map((score) => [score.name, score]));
      this.models = index.models;
      this.pairs = index.pairs;
      this.drawWord = index.draw_word; // of pairs: "seed", or "sample" where the data says no seed
      this.missing = index.missing;
      this.index = index;
      this.thumbs = new Uint8Array(thumbs);
      this.values = new Map();
      this.texts = new Map();
      this.known = new Map();
    }

    /** What to say beside a number that is of the images shown: empty where they are no sample. */
    get sampleNote() {
      return this.total > this.n ? ` of the ${count(this.n)} images shown` : "";
    }

    get lacksPictures() {
      return this.index.flags.some((flags) => flags & NO_PICTURE);
    }

    /** Return the address of the small picture, or "". */
    thumb(row) {
      return this.address("thumbs", row);
    }

    /** Return the address of the larger picture where there is one, else of the small one. */
    preview(row) {
      return this.address(this.index.flags[row] & HAS_PREVIEW ? "previews" : "thumbs", row);
    }

    address(folder, row) {
      if (this.index.flags[row] & NO_PICTURE) return "";
      let name = "";
      for (let i = 8 * row; i < 8 * row + 8; i += 1) name += this.thumbs[i].toString(16).padStart(2, "0");
      return `${folder}/${name.slice(0, 2)}/${name}.webp`;
    }

    isBlurred(row) {
      return (this.index.flags[row] & BLURRED) !== 0;
    }

    /** Return a picture and, where it is blurred, the word that says so; or why there is none. `text` is what it is of. */
    picture(row, text = "", { isLarge = false, none = "no picture" } = {}) {
      const source = isLarge ? this.preview(row) : this.thumb(row);
      if (!source) return [make("span", { class: "no-picture" }, none)];
      const image = make("img", { src: source, alt: this.told(row, text), decoding: "async" });
      return this.isBlurred(row) ? [image, make("span", { class: "flag", "aria-hidden": "true" }, "blurred as flagged")] : [image];
    }

    /** Return what a picture is of, with the word that it is blurred where it is. */
    told(row, text) {
      return this.isBlurred(row) ? `Flagged, blurred${text ? `: ${text}` : ""}` : text;
    }

    /** Return a picture with a note under it, as a link to all that is known of it. */
    figure(row, note) {
      const caption = make("figcaption", {}, note);
      return make("figure", { class: "shot" }, make("a", { href: `gallery.html#sel=${row}` }, ...this.picture(row, note)), caption);
    }

    /** Return the codes that a row has in a facet: one, several, or -1 alone. */
    codesOf(facet, row) {
      const found = facet.codes[row];
      return Array.isArray(found) ? found : [found];
    }

    /** Return the word of a facet, several with commas between them, or "". */
    word(facet, row) {
      const found = this.facets.get(facet);
      return found ? this.codesOf(found, row).map((code) => found.values[code] ?? "").join(", ") : "";
    }

    /** Return a word of the data as a filter: one that reads as "none", "none:reason" or ".." has "=" before it. */
    asFilter(word) {
      return word === this.missing || word === ".." || word.startsWith(`${this.missing}:`) || word.startsWith("=") ? `=${word}` : word;
    }

    /** Return the values of a score, loaded once. */
    async score(name) {
      if (!this.values.has(name)) {
        const { file, is_single: isSingle } = this.scores.get(name);
        this.values.set(name, Diptych.load(file).then((bytes) => (isSingle ? new Float32Array(bytes) : new Float64Array(bytes))));
      }
      return this.values.get(name);
    }

    /** Return the caption of a row if its file is here already, else undefined. */
    caption(row) {
      const { codes, per_file: size } = this.index.captions;
      if (codes[row] < 0) return "";
      return this.texts.get(Math.floor(codes[row] / size))?.[codes[row] % size];
    }

    /** Load the captions of some rows. */
    async captionsOf(rows) {
      const { codes, per_file: size } = this.index.captions;
      const files = new Set();
      for (const row of rows) if (codes[row] >= 0) files.add(Math.floor(codes[row] / size));
      await Promise.all([...files].filter((file) => !this.texts.has(file)).map(async (file) => {
        this.texts.set(file, await Diptych.loadJson(`captions-${file}`));
      }));
    }

    async allCaptions() {
      const { n, per_file: size } = this.index.captions;
      const files = Math.ceil(n / size);
      await Promise.all(Array.from({ length: files }, async (_, file) => {
        if (!this.texts.has(file)) this.texts.set(file, await Diptych.loadJson(`captions-${file}`));
      }));
    }

    /** Return for each caption code whether the caption holds the words, in any case. */
    async search(words) {
      await this.allCaptions();
      const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
      const found = [];
      for (let file = 0; file < this.texts.size; file += 1) {
        for (const text of this.texts.get(file)) {
          const low = text.toLowerCase();
          found.push(wanted.every((word) => low.includes(word)));
        }
      }
      return found;
    }

    /** Return what is known of a row beside its facets and scores; a file is read once. */
    async details(row) {
      const size = this.index.details_per_file, file = Math.floor(row / size);
      if (!this.known.has(file)) this.known.set(file, Diptych.loadJson(`details-${file}`));
      return (await this.known.get(file))[row % size];
    }
  }

  async function open() {
    const [index, thumbs] = await Promise.all([Diptych.loadJson("rows"), Diptych.load("thumbs")]);
    return new Rows(index, thumbs);
  }

  return { open };
})();
