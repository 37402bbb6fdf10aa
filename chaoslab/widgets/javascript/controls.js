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
 * A row of label, slider, number to type and reset; `change(value)` is called while it moves. A value typed may lie beyond the
 * slider's ends, and the slider then rests at its end.
 */
export function slider({ label, value, low, high, log = false, whole = false, unit = "", change }) {
  const start = value;
  const toPlace = (v) => (log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low));
  const toValue = (place) => (log ? low * Math.pow(high / low, place) : low + place * (high - low));
  const rounded = (v) => (whole ? Math.round(v) : Number(v.toPrecision(log ? 4 : 5)));
  const words = unit ? `${label}, ${unit}` : label;
  const range = make("input", { type: "range", min: 0, max: 1, step: 0.001, "aria-label": words, class: "cl-range" });
  const number = make("input", { type: "number", step: "any", "aria-label": `${words}, as a number`, class: "cl-number" });
  const back = make("button", { type: "button", class: "cl-reset", title: `back to ${short(start)}`, "aria-label": `reset ${label}` }, "↺");
  const name = make("span", { class: "cl-name", "aria-hidden": "true", title: words }, label);
  let current = value;
  const show = (v) => {
    current = v;
    const place = toPlace(v);
    range.value = Math.min(1, Math.max(0, Number.isFinite(place) ? place : 0));
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
    const wrong = text === "" || !Number.isFinite(typed) || (whole && typed < 1);
    if (wrong) show(current);
    else set(whole ? Math.round(typed) : typed);
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
