// The viewer: two pictures of one prompt and seed side by side, under a slider, in turn, or their difference.
"use strict";

Diptych.viewer = (() => {
  const { make } = Diptych;
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

  function close() {
    if (dialog()?.open) dialog().close();
  }

  function pick(current, set) {
    return make("select", { on: { change: (event) => { set(event.target.value); draw(); tell(left, right, mode); } } },
      ...labels.map((label) => make("option", { value: label, selected: label === current }, label)));
  }

  function draw() {
    const caption = rows.caption(entry.first) || "No caption";
    const [a, b] = [left, right].map((label) => make("div", {}, ...rows.picture(entry.cells.get(label), `${label}: ${caption.slice(0, 140)}`, { isLarge: true })));
    const stage = make("div", { class: `stage${mode === "side" ? "" : " is-over"} is-${mode}` }, a, b);
    const details = (label) => make("a", { href: `gallery.html#sel=${entry.cells.get(label)}` }, "Details of ", ...named(label, entry.cells.get(label)));
    const choose = (name) => { mode = name; draw(); tell(left, right, mode); };
    const control = controls(b);
    dialog().replaceChildren(
      make("div", { class: "tools" }, make("h2", { id: "viewer-title", class: "grow", dir: "auto" }, caption.slice(0, 300)), make("button", { type: "button", class: "quiet", on: { click: close } }, "Close")),
      make("div", { class: "bar" },
        make("label", {}, "Left ", pick(left, (label) => { left = label; })), make("label", {}, "Right ", pick(right, (label) => { right = label; })),
        ...Object.entries(MODES).map(([name, text]) => make("button", { type: "button", class: "quiet", "aria-pressed": String(mode === name), on: { click: () => choose(name) } }, text))),
      stage, control ?? "",
      make("p", { class: "soft" }, details(left), " · ", details(right)));
    if (mode === "flip") control.focus();
  }

  /** Return what moves the upper picture, where something does. */
  function controls(over) {
    if (mode === "slider") {
      const cut = () => { over.style.clipPath = `inset(0 0 0 ${part}%)`; };
      cut();
      return make("input", { type: "range", min: 0, max: 100, value: part, "aria-label": `Share of ${left}`, on: { input: (event) => { part = Number(event.target.value); cut(); } } });
    }
    if (mode !== "flip") return null;
    const button = make("button", { type: "button", on: { click: () => { flipped = !flipped; flip(); } } });
    const flip = () => {
      over.hidden = !flipped;
      const shown = flipped ? right : left;
      button.replaceChildren("Showing ", ...named(shown, entry.cells.get(shown)), "; press space to flip");
    };
    flip();
    return button;
  }

  return { open, close };
})();
