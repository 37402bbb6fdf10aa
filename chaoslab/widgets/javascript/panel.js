// Everything around the pictures: search, sliders, choices, buttons, and what is said.

import { button, choice, entered, make, short, slider } from "./controls.js";
import { code } from "./code.js";

/** Up to so many components have starts that can be set by hand. */
const STARTS = 12;
const COLOURS = [["time", "time"], ["speed", "speed"], ["exponent", "local exponent"]];

export class Panel {
  /** `act` has move(), open(name), play(on) and save(kind); the view is changed in place. */
  constructor(recipe, view, names, act) {
    Object.assign(this, { recipe, view, act });
    this.rows = new Map();
    this.status = make("span", { class: "cl-status", role: "status", "aria-live": "polite" });
    this.complaint = make("div", { class: "cl-complaint", role: "alert", hidden: true });
    this.points = make("div", { class: "cl-points", role: "group", "aria-label": "fixed points", hidden: true });
    this.facts = make("div", { class: "cl-facts", role: "group", "aria-label": "measured" });
    const title = make("strong", {}, recipe.title || recipe.label);
    this.head = make("div", { class: "cl-head" }, this.search(names), title, this.status, this.complaint, this.facts);
    this.formula = make("div", { class: "cl-formula", tabindex: 0, role: "group", "aria-label": "equations with the current values" });
    this.formula.innerHTML = recipe.formula ?? ""; // MathML that the kernel made of the definition
    this.element = make("div", { class: "cl-panel" }, this.parameters(), this.looks(), this.starts(), this.buttons(), this.formula);
    this.script = make("textarea", { class: "cl-code", readonly: true, rows: 6, "aria-label": "Python code of this trajectory", hidden: true });
    const about = [recipe.about, recipe.source].filter(Boolean).map((text) => make("p", { class: "cl-about" }, text));
    this.foot = make("div", { class: "cl-foot" }, this.points, this.script, ...about);
    this.values();
  }

  search(names) {
    if (!names.length) return "";
    const id = `cl-${Math.random().toString(36).slice(2)}`;
    const list = make("datalist", { id }, ...names.map(([name, title]) => make("option", { value: name }, title)));
    const box = make("input", { type: "search", list: id, class: "cl-search", placeholder: "another system …", "aria-label": "search a system by name" });
    entered(box, (name) => name && this.act.open(name));
    return make("span", {}, box, list);
  }

  parameters() {
    const box = make("div", { class: "cl-parameters", role: "group", "aria-label": "parameters" });
    for (const { name, value, low, high, step, log, array } of this.recipe.parameters) {
      if (array) continue;
      const change = (v) => {
        this.view.parameters[name] = v;
        this.moved();
      };
      this.add(box, name, { label: name, symbol: this.recipe.symbols[name], value, low, high, step, log, change }, this.view.parameters[name]);
    }
    return box;
  }

  add(box, key, options, now) {
    const row = slider({ ...options, refuse: (text) => this.complain(text) });
    if (now !== undefined) row.show(now);
    row.element.dataset.row = key;
    this.rows.set(key, row);
    box.append(row.element);
  }

  looks() {
    const { recipe, view } = this;
    const box = make("div", { class: "cl-looks", role: "group", "aria-label": "view" });
    const set = (key) => (v) => {
      view[key] = v;
      this.moved();
    };
    const iterates = recipe.kind === "map";
    const unit = iterates ? "iterations" : "periods";
    const most = Math.floor(recipe.most_points / (iterates ? 1 : view.samples));
    const longest = Math.min(most, iterates ? 100000 : Math.max(400, 4 * recipe.periods));
    const pace = (v) => {
      view.speed = v;
      if (this.playing) this.act.play(true);
    };
    const decade = 0.02; // a step of a logarithmic slider
    this.add(box, ".periods", { label: "length", unit, value: recipe.periods, low: iterates ? 100 : 1, high: longest, step: decade, least: 1, most, log: true, whole: true, change: set("periods") }, view.periods);
    this.add(box, ".transient", { label: "dropped", unit, value: recipe.transient, low: 0, high: iterates ? 5000 : 200, step: iterates ? 10 : 1, least: 0, most: 1e6, change: set("transient") }, view.transient);
    this.add(box, ".speed", { label: "speed", unit: `${unit} a second`, value: view.speed, low: iterates ? 10 : 0.1, high: iterates ? 5000 : 20, step: decade, least: 1e-6, log: true, change: pace }, view.speed);
    const lists = make("div", { class: "cl-lists" });
    this.axes = recipe.choices.length < 3 ? [] : [0, 1, 2].map((k) => this.axis(k));
    this.colour = choice({ label: "colour", value: view.colour, options: COLOURS, change: set("colour") });
    this.tick = make("input", { type: "checkbox", checked: Boolean(view.fixed_points), onchange: () => set("fixed_points")(this.tick.checked) });
    const ticked = make("label", { class: "cl-choice", title: "search for them, and draw them into the attractor" }, this.tick, "fixed points");
    lists.append(...[...this.axes, this.colour].map(({ element }) => element), ticked);
    box.append(lists);
    return box;
  }

  /** The list for an axis; the third may be none, for a flat picture. */
  axis(k) {
    const options = this.recipe.choices.map((name) => [name, name]);
    const change = (name) => {
      const axes = this.view.axes.slice();
      axes[k] = name;
      this.view.axes = axes.filter(Boolean);
      this.moved();
    };
    return choice({ label: "xyz"[k], words: `${"xyz"[k]} axis`, value: this.view.axes[k] ?? "", options: k < 2 ? options : [["", "none"], ...options], change });
  }

  starts() {
    const { recipe, view } = this;
    if (recipe.components.length > STARTS) return "";
    const box = make("details", { class: "cl-starts" }, make("summary", {}, "initial state"));
    recipe.components.forEach((name, k) => {
      const value = recipe.state[name];
      const reach = recipe.state_sizes[k] || 1;
      const change = (v) => {
        view.state[name] = v;
        this.moved();
      };
      this.add(box, `state ${name}`, { label: name, unit: "initial state", value, low: value - 2 * reach, high: value + 2 * reach, change }, view.state[name]);
    });
    return box;
  }

  buttons() {
    const press = (node, on) => node.setAttribute("aria-pressed", String(on));
    const flow = button({ text: "▶ flow", label: "let a comet run along the trajectory", pressed: false, act: () => {
      this.playing = !this.playing;
      press(flow, this.playing);
      this.act.play(this.playing);
    } });
    const twins = this.twins = button({ text: "twins", label: "a second state a hair apart", pressed: Boolean(this.view.twins), act: () => {
      this.view.twins = this.view.twins ? false : this.recipe.twins;
      press(twins, Boolean(this.view.twins));
      this.moved();
    } });
    const reset = button({ text: "reset", label: "all sliders back to the start", act: () => {
      for (const row of this.rows.values()) if (row.changed()) row.reset();
    } });
    const copy = button({ text: "code", label: "Python code of this trajectory", act: () => this.showCode() });
    const save = ["png", "svg"].map((kind) => button({ text: kind.toUpperCase(), label: `save the picture as ${kind.toUpperCase()}`, act: () => this.act.save(kind) }));
    return make("div", { class: "cl-buttons", role: "group", "aria-label": "actions" }, flow, twins, reset, copy, ...save);
  }

  showCode() {
    this.script.value = code(this.recipe, this.view);
    this.script.hidden = false;
    this.script.rows = this.script.value.split("\n").length;
    this.script.select();
    navigator.clipboard?.writeText(this.script.value).catch(() => {}); // without leave to copy it is there, selected
  }

  /** The fixed points that the kernel found, once they are wanted. */
  fixed(found = this.found) {
    this.found = found;
    const { fixed_points: wanted } = this.view, known = isFixedOf(found, this.view);
    this.points.hidden = !wanted;
    if (!wanted) return;
    this.points.classList.toggle("cl-stale", !known);
    if (!known) {
      if (!this.points.childElementCount) this.points.replaceChildren(make("p", {}, "searching for fixed points ..."));
      return;
    }
    const rows = found.points.map(({ name, kind, eigenvalues, stable }) => make("li", { class: stable ? "cl-stable" : "" }, make("b", {}, kind), ` at ${name}; ${eigenvalues}`));
    this.points.replaceChildren(make("p", {}, found.told), ...(rows.length ? [make("ul", {}, ...rows)] : []));
  }

  moved() {
    this.fixed();
    if (!this.script.hidden) this.script.value = code(this.recipe, this.view);
    this.complain("");
    this.values();
    this.act.move();
  }

  /** Current values in the typeset equations. */
  values() {
    for (const node of this.formula.querySelectorAll("[data-parameter]")) {
      const value = this.view.parameters[node.dataset.parameter];
      if (value !== undefined) node.textContent = typeset(value, "alone" in node.dataset);
    }
  }

  /** The view was changed from elsewhere: show it. */
  follow() {
    for (const [name, value] of Object.entries(this.view.parameters)) this.rows.get(name)?.show(value);
    for (const [name, value] of Object.entries(this.view.state)) this.rows.get(`state ${name}`)?.show(value);
    for (const key of ["periods", "transient", "speed"]) this.rows.get(`.${key}`)?.show(this.view[key]);
    this.axes.forEach((list, k) => list.set(this.view.axes[k] ?? ""));
    this.colour.set(this.view.colour);
    this.twins.setAttribute("aria-pressed", String(Boolean(this.view.twins)));
    this.tick.checked = Boolean(this.view.fixed_points);
    this.values();
  }

  say(what, status = "") {
    this.status.textContent = status ? `${what}; ${status}` : what;
    this.status.classList.toggle("cl-warning", Boolean(status));
  }

  complain(text) {
    this.complaint.textContent = text;
    this.complaint.hidden = !text;
  }

  stale() {
    this.facts.classList.add("cl-stale");
    this.facts.title = "of the last parameters; being measured again";
  }

  /** What the kernel measured of the current parameters; null while it has not. */
  measured(found) {
    if (!isOf(found, this.view)) return this.stale();
    this.facts.classList.remove("cl-stale");
    this.facts.title = found.words ?? "";
    const { largest_exponent: exponent, exponent_error, kaplan_yorke, dimension_error, regime } = found;
    const unit = this.recipe.kind === "map" ? "per iteration" : "per time unit";
    const terms = [["regime", regime], ["largest exponent", exponent == null ? null : `${withError(exponent, exponent_error)} ${unit}`]];
    terms.push(["Kaplan-Yorke dimension", kaplan_yorke == null ? null : withError(kaplan_yorke, dimension_error)]);
    terms.push(["not measured", found.complaint]);
    this.facts.replaceChildren(...terms.filter(([, text]) => text).map(([term, text]) => make("span", {}, `${term} `, make("b", {}, text))));
  }
}

/** Whether a measurement is of the parameters and the state in view. */
export function isOf(found, view) {
  return Boolean(found) && JSON.stringify(found.of.slice(1)) === JSON.stringify([view.parameters, view.state]);
}

/** Whether fixed points are wanted, and these are of the parameters in view. */
export function isFixedOf(found, view) {
  return Boolean(view.fixed_points && found) && JSON.stringify(found.of.slice(1)) === JSON.stringify([view.parameters]);
}

/** A value with its standard error, rounded to the error's first digit. */
function withError(value, error) {
  if (!(error > 1e-6 * Math.abs(value) && error > 1e-12)) return short(value); // rounding is all its error
  const digits = Math.min(8, Math.max(0, -Math.floor(Math.log10(error))));
  return `${value.toFixed(digits)} ± ${error.toFixed(digits)}`;
}

/** A value as it stands in a formula, as chaoslab/widgets/formula.py writes it. */
function typeset(value, alone) {
  let [mantissa, exponent] = value.toPrecision(6).split("e");
  if (!exponent && value !== 0 && Math.abs(value) < 1e-4) [mantissa, exponent] = value.toExponential(5).split("e");
  mantissa = String(Number(mantissa));
  if (exponent) {
    const power = "10" + String(Number(exponent)).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));
    mantissa = { 1: power, "-1": `-${power}` }[mantissa] ?? `${mantissa}·${power}`;
  }
  const text = mantissa.replace("-", "−");
  return value < 0 && !alone ? `(${text})` : text;
}
