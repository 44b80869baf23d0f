// What every page needs: the theme, making elements, and reading the data files. Text reaches the page as text only.
"use strict";

const Diptych = (() => {
  const waiting = new Map();
  const loaded = new Map();

  /** Make an element. Attributes are set as text; an address must be one of the report's own or http(s). */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined || value === null || value === false) continue;
      if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
      else if (name.startsWith("on")) throw new Error(`attribute ${name}`);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  /**
   * Draw the content of an element anew. The keyboard stays on the part of the same `data-field`; where that is gone or
   * cannot be used, it is on the element itself, and never falls to the page.
   */
  function redraw(box, ...children) {
    const isInside = box.contains(document.activeElement) && document.activeElement !== box;
    const { field } = document.activeElement?.dataset ?? {};
    box.replaceChildren(...children);
    if (isInside) ([...box.querySelectorAll("[data-field]")].find((one) => one.dataset.field === field && !one.disabled) ?? box).focus();
  }

  /** Return a text of a stranger without what could let its direction out. */
  const plain = (text) => String(text).replace(/[\u2066-\u2069]/g, "").replace(/[\s\u0085\u001c-\u001f]+/g, " ");

  /** Return a text of a stranger beside other words: its direction stays its own. */
  const foreign = (text) => make("bdi", {}, plain(text));

  /** Return an address that may become a link, or "". */
  function webAddress(text) {
    try {
      const url = new URL(text);
      return url.protocol === "https:" || url.protocol === "http:" ? url.href : "";
    } catch {
      return "";
    }
  }

  async function inflate(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }

  /** Return the bytes of a data file; a file is loaded once. */
  function load(name) {
    if (!loaded.has(name)) {
      loaded.set(name, new Promise((resolve, reject) => {
        waiting.set(name, resolve);
        const script = make("script", { src: `data/${name}.js`, on: { error: () => reject(new Error(`data/${name}.js is missing`)) } });
        document.head.append(script);
      }).then(inflate));
    }
    return loaded.get(name);
  }

  async function loadJson(name) {
    return JSON.parse(new TextDecoder().decode(await load(name)));
  }

  window.__R = (name, text) => waiting.get(name)?.(text);

  const numbers = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const counts = new Intl.NumberFormat("en");

  /** Return a number as the pages write it. */
  function number(value) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : `${value < 0 ? "−" : ""}∞`;
    if (Math.abs(value) >= 1e15) return value.toPrecision(4);
    return Math.abs(value) >= 1e4 ? counts.format(Math.round(value)) : numbers.format(value || 0); // 0 for -0
  }

  function count(value) {
    return counts.format(value);
  }

  /** Return a function that runs once the last call is some milliseconds old. */
  function later(run, ms) {
    let timer = 0;
    return (...args) => { clearTimeout(timer); timer = setTimeout(() => run(...args), ms); };
  }

  /** Let a button copy a text to the clipboard, and say so for a moment. */
  function copies(button, text) {
    const name = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard?.writeText(text());
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = name; }, 1500);
    });
  }

  /** Say on the page what went wrong, such as a folder that was not moved along. */
  function complain(error) {
    const text = `This page cannot read its data (${error.message}). Keep the whole folder of the report together.`;
    document.querySelector("main").prepend(make("p", { role: "alert", class: "strip" }, text));
  }

  const NAMES = ["auto", "light", "dark"];
  const KEY = "diptych-theme";

  function remembered() {
    try {
      return NAMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "auto";
    } catch {
      return "auto"; // storage may be off
    }
  }

  function wear(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }

  wear(remembered());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    let theme = remembered();
    const show = () => { button.textContent = `Theme: ${theme}`; wear(theme); };
    button.addEventListener("click", () => {
      theme = NAMES[(NAMES.indexOf(theme) + 1) % NAMES.length];
      try { localStorage.setItem(KEY, theme); } catch { /* storage may be off */ }
      show();
    });
    button.hidden = false;
    show();
    const current = document.querySelector(".rail [aria-current]");
    const strip = current?.closest("nav");
    if (strip) strip.scrollLeft = current.offsetLeft - 60;
    const open = () => {
      const target = location.hash.startsWith("#id-") && document.getElementById(location.hash.slice(1));
      if (target) target.open = true;
    };
    window.addEventListener("hashchange", open);
    open();
  });

  return { make, redraw, plain, foreign, webAddress, load, loadJson, number, count, later, copies, complain };
})();
