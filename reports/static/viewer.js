// The viewer: two pictures of one prompt and seed side by side, under a slider, in turn, or their difference.
"use strict";

Diptych.viewer = (() => {
  const { make, redraw, foreign } = Diptych;
  const MODES = { side: "Side by side", slider: "Slider", flip: "Flip", difference: "Difference" };
  const dialog = () => document.getElementById("viewer");
  let rows, entry, labels, named, tell = () => {}, left, right, mode = "side", flipped = false, part = 50;

  /**
   * Open it on a group.
   *
   * `group` has `cells` (label -> row) and `first`; `names` gives the elements that name a label's picture; `changed` is
   * told which two are shown, and how.
   */
  function open(all, group, columns, names, changed, { label, other, way }) {
    [rows, entry, named, tell] = [all, group, names, changed];
    labels = columns.filter((column) => entry.cells.has(column));
    left = labels.includes(label) ? label : labels[0];
    right = labels.includes(other) && other !== left ? other : labels.find((column) => column !== left);
    if (labels.indexOf(left) > labels.indexOf(right) && !other) [left, right] = [right, left];
    mode = way in MODES ? way : mode;
    draw();
    if (!dialog().open) dialog().showModal();
    tell(left, right, mode);
  }

  /** Return the words that say which picture is blurred, outside the two, which are mixed or cut. */
  function flags() {
    if (mode !== "slider" && mode !== "difference") return [];
    const blurred = [[left, "left"], [right, "right"]].filter(([label]) => rows.isBlurred(entry.cells.get(label)));
    return blurred.map(([label, side]) => make("span", { class: `flag is-${side}`, "aria-hidden": "true" }, foreign(label), ": blurred as flagged"));
  }

  const close = () => dialog()?.close();

  function pick(field, current, set) {
    return make("select", { "data-field": field, on: { change: (event) => { set(event.target.value); draw(); tell(left, right, mode); } } },
      ...labels.map((label) => make("option", { value: label, selected: label === current }, label)));
  }

  function draw() {
    const caption = rows.caption(entry.first) || "No caption";
    const [a, b] = [left, right].map((label) => make("div", {}, ...rows.picture(entry.cells.get(label), `${label}: ${caption.slice(0, 140)}`, { isLarge: true })));
    const stage = make("div", { class: `stage${mode === "side" ? "" : " is-over"} is-${mode}` }, a, b, ...flags());
    const details = (label) => make("a", { href: `gallery.html#sel=${entry.cells.get(label)}` }, "Details of ", ...named(label, entry.cells.get(label)));
    const choose = (name) => { mode = name; draw(); tell(left, right, mode); if (mode === "flip") dialog().querySelector("[data-field=flipped]").focus(); };
    const control = controls(a, b);
    redraw(dialog(),
      make("div", { class: "tools" }, make("h2", { id: "viewer-title", class: "grow", dir: "auto" }, caption.slice(0, 300)), make("button", { type: "button", class: "quiet", on: { click: close } }, "Close")),
      make("div", { class: "bar" },
        make("label", {}, "Left ", pick("left", left, (label) => { left = label; })), make("label", {}, "Right ", pick("right", right, (label) => { right = label; })),
        ...Object.entries(MODES).map(([name, text]) => make("button", { type: "button", class: "quiet", "data-field": name, "aria-pressed": String(mode === name), on: { click: () => choose(name) } }, text))),
      stage, control ?? "",
      make("p", { class: "soft" }, details(left), " · ", details(right)));
  }

  /** Return what moves the upper picture, where something does. */
  function controls(under, over) {
    if (mode === "slider") {
      const cut = () => { over.style.clipPath = `inset(0 0 0 ${part}%)`; };
      cut();
      return make("input", { type: "range", min: 0, max: 100, value: part, "aria-label": `Share of ${left}`, on: { input: (event) => { part = Number(event.target.value); cut(); } } });
    }
    if (mode !== "flip") return null;
    const button = make("button", { type: "button", "data-field": "flipped", on: { click: () => { flipped = !flipped; flip(); } } });
    const flip = () => {
      over.hidden = !flipped;
      under.style.visibility = flipped ? "hidden" : ""; // it keeps its room, and neither its edges nor its word show
      const shown = flipped ? right : left;
      button.replaceChildren("Showing ", ...named(shown, entry.cells.get(shown)), "; press space to flip");
    };
    flip();
    return button;
  }

  return { open, close };
})();
