// What the smaller views share: a head with title and status, controls that set `look`, the theme, and the way to the kernel.

import { palette, isDark, watchDark } from "./colours.js";
import { choice, make, slider } from "./controls.js";

/** Milliseconds without a move after which a control rests, and of silence before one is told that the kernel computes. */
const REST = 120, QUIET = 400;

/** The frame of a view; `draw()` is called whenever `picture`, `ground`, `look` or the theme is another. */
export class Shell {
  /** `body` is for the view's own charts, which go on the list `charts` of what is to be disposed of. */
  constructor(model, el, name) {
    Object.assign(this, { model, of: model.get("of"), look: { ...model.get("look") }, rows: new Map(), charts: [] });
    this.title = make("strong", {}, this.of.title);
    this.status = make("span", { class: "cl-status", role: "status", "aria-live": "polite" });
    this.bar = make("div", { class: "cl-view-bar", role: "group", "aria-label": "controls" });
    this.body = make("div", { class: "cl-view-body" });
    this.root = make("div", { class: `cl-explorer cl-view cl-${name}`, role: "region", "aria-label": `${this.of.what}: ${this.of.title}` },
      make("div", { class: "cl-head" }, this.title, this.status), this.bar, this.body);
    el.append(this.root);
    this.events = { "change:look": () => this.follow(), "change:picture": () => this.learn(), "change:ground": () => this.learn(),
      "change:busy": () => this.tell(), "change:message": () => this.tell() };
    for (const [event, call] of Object.entries(this.events)) model.on(event, call);
  }

  /** Show `charts` as the view's own module has arranged them in `body`. */
  open(draw) {
    this.paint = draw;
    this.controls();
    this.theme(isDark(this.root.parentElement ?? this.root));
    this.unwatch = watchDark(this.root.parentElement ?? this.root, (dark) => this.theme(dark));
    this.learn();
    this.tell();
    return () => this.dispose();
  }

  theme(dark) {
    const { ink, soft, ground, grid, tints } = palette(dark);
    const words = { ink, soft, ground, edge: grid, accent: tints[0], warn: tints[1] };
    for (const [key, value] of Object.entries(words)) this.root.style.setProperty(`--cl-${key}`, value);
    this.root.style.colorScheme = dark ? "dark" : "light";
    this.dark = dark;
    this.draw();
  }

  /** One control for each that the kernel names. */
  controls() {
    this.bar.replaceChildren(...this.of.controls.map((spec) => {
      const row = this.control(spec);
      this.rows.set(spec.key, row);
      row.element.dataset.row = spec.key;
      return row.element;
    }));
  }

  control(spec) {
    const { key, label, options, unit } = spec, value = this.look[key];
    const change = (chosen) => this.set(key, chosen), refuse = (text) => this.say(text);
    if (options) return choice({ label, value: String(value), options, change });
    const range = spec.ranges ? spec.ranges[this.look[spec.by]] : spec;
    const row = slider({ label, unit, ...range, value: range.value ?? value, whole: Boolean(spec.whole), change, refuse });
    row.show(value);
    return { element: row.element, set: row.show };
  }

  /** A control was moved. */
  set(key, value) {
    const spec = this.of.controls.find((one) => one.key === key);
    if (spec?.values) value = spec.values.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best));
    this.look[key] = spec?.numbers ? Number(value) : value;
    if (spec?.values) this.rows.get(key).set(value);
    for (const other of this.of.controls) {
      if (other.by !== key || !other.ranges) continue;
      this.look[other.key] = other.ranges[value].value; // another range: from its own start
      const row = this.control(other);
      row.element.dataset.row = other.key;
      this.rows.get(other.key).element.replaceWith(row.element);
      this.rows.set(other.key, row);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(false), REST);
    this.send(true);
    this.draw();
  }

  send(moving) {
    this.model.set("look", { ...this.look, moving });
    try {
      this.model.save_changes();
    } catch (error) {
      this.say(`no answer from the kernel (${error.message}); run the cell again`);
    }
  }

  /** The look was set from Python. */
  follow() {
    const given = this.model.get("look"), by = this.of.controls.filter(({ by }) => by && given[by] !== this.look[by]);
    if (given.moving || JSON.stringify({ ...given, moving: 0 }) === JSON.stringify({ ...this.look, moving: 0 })) return;
    this.look = { ...given };
    for (const spec of by) {
      const row = this.control(spec);
      row.element.dataset.row = spec.key;
      this.rows.get(spec.key).element.replaceWith(row.element);
      this.rows.set(spec.key, row);
    }
    for (const [key, row] of this.rows) row.set(typeof this.look[key] === "number" && row.value ? String(this.look[key]) : this.look[key]);
    this.draw();
  }

  learn() {
    this.picture = this.model.get("picture") ?? {};
    this.ground = this.model.get("ground") ?? {};
    if (this.picture.title) this.title.textContent = this.picture.title;
    this.tell();
    this.draw();
    if (Object.keys(this.picture).length) this.root.dataset.picture = Number(this.root.dataset.picture ?? 0) + 1;
  }

  tell() {
    clearTimeout(this.quiet);
    const message = this.model.get("message") || (this.model.get("busy") ? null : this.picture?.told ?? "");
    if (message === null) this.quiet = setTimeout(() => this.say("computing ..."), QUIET);
    else this.say(message);
    this.status.classList.toggle("cl-warning", Boolean(this.model.get("message")));
    this.root.setAttribute("aria-busy", String(this.model.get("busy")));
  }

  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  draw() {
    if (this.picture) this.paint?.();
  }

  dispose() {
    for (const [event, call] of Object.entries(this.events)) this.model.off(event, call);
    for (const timer of [this.timer, this.quiet]) clearTimeout(timer);
    for (const chart of this.charts) chart.dispose();
    this.unwatch?.();
    this.root.remove();
  }
}

/** Numbers of a buffer, copied: its bytes need not begin where a float may. */
export function floats(view) {
  return view?.byteLength ? new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)) : new Float32Array();
}
