// Sliders, lists and buttons with labels for eyes, keyboards and screen readers.

/** What takes keys itself: JupyterLab would have arrows and Enter for its cells unless the very element says no. */
const KEYED = ["input", "select", "button", "textarea", "summary"];

/** An element with attributes and children: make("button", {class: "a"}, "text"). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (KEYED.includes(tag)) element.dataset.lmSuppressShortcuts = "true";
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Call with the text of a box when it is changed or Enter is pressed. */
export function entered(box, call) {
  let last = box.value;
  const look = () => {
    if (box.value === last) return;
    last = box.value;
    call(box.value.trim());
    last = box.value;
  };
  box.addEventListener("focus", () => (last = box.value));
  box.addEventListener("change", look);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") look();
  });
}

/** A number as short text that reads back to nearly the same: four to six digits. */
export function short(value, digits = 6) {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(digits)));
}

/**
 * A row of label, slider, number to type and reset; `change(value)` is called while it moves. A key moves it by `step`, of a
 * logarithmic one in decades. A value typed may lie beyond the slider's ends, where it then rests, but not beyond `least` and `most`,
 * which is told by `refuse(text)`. `symbol` is the label as markup, made by the kernel.
 */
export function slider({ label, symbol = null, value, low, high, step = (high - low) / 500, log = false, whole = false, least = -Infinity, most = Infinity, unit = "", change, refuse = () => {} }) {
  const start = value;
  const toPlace = (v) => (log ? Math.log10(v) : v);
  const toValue = (place) => (log ? 10 ** place : place);
  const rounded = (v) => (whole ? Math.round(v) : Number(v.toPrecision(log ? 4 : 10)));
  const words = unit ? `${label}, ${unit}` : label;
  const range = make("input", { type: "range", min: toPlace(low), max: toPlace(high), step, "aria-label": words, class: "cl-range" });
  const number = make("input", { type: "number", step: "any", "aria-label": `${words}, as a number`, class: "cl-number" });
  const back = make("button", { type: "button", class: "cl-reset", title: `back to ${short(start)}`, "aria-label": `reset ${label}` }, "↺");
  const name = make("span", { class: "cl-name", "aria-hidden": "true", title: words }, symbol === null ? label : "");
  if (symbol !== null) name.innerHTML = symbol;
  let current = value;
  const show = (v) => {
    current = v;
    const place = toPlace(v);
    range.value = Number.isFinite(place) ? place : toPlace(low);
    range.setAttribute("aria-valuetext", short(v));
    number.value = short(v, 7);
    back.disabled = v === start;
  };
  const set = (v) => {
    show(v);
    change(v);
  };
  range.addEventListener("input", () => set(rounded(toValue(Number(range.value)))));
  entered(number, (text) => {
    const typed = Number(text);
    const inside = text !== "" && typed >= least && typed <= most && Number.isFinite(typed);
    if (inside) return set(whole ? Math.round(typed) : typed);
    show(current);
    const limits = [least > -Infinity ? `at least ${short(least)}` : "", most < Infinity ? `at most ${short(most)}` : ""].filter(Boolean);
    refuse(`${words} must be a number${limits.length ? `, ${limits.join(" and ")}` : ""}; ${text || "nothing"} given`);
  });
  back.addEventListener("click", () => set(start));
  show(value);
  const element = make("div", { class: "cl-row" }, name, range, number, back);
  return { element, show, reset: () => set(start), changed: () => current !== start };
}

/** A list to choose from: `options` are [value, text]. */
export function choice({ label, words = label, value, options, change }) {
  const list = make("select", { "aria-label": words, class: "cl-select", onchange: () => change(list.value) });
  for (const [key, text] of options) list.append(make("option", { value: key, selected: key === value }, text));
  const element = make("label", { class: "cl-choice" }, make("span", {}, label), list);
  return { element, set: (v) => { list.value = v; }, value: () => list.value };
}

/** A button; `pressed` is a state for those that stay down. */
export function button({ text, label = text, pressed = null, act }) {
  const element = make("button", { type: "button", class: "cl-button", "aria-label": label, title: label, onclick: act }, text);
  if (pressed !== null) element.setAttribute("aria-pressed", String(pressed));
  return element;
}
