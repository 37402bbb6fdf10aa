// A bifurcation diagram: drag to zoom, click to open a value, and the largest exponent in a strip beneath.

import { Painting, across, line } from "./branches.js";
import { isDark, palette, watchDark } from "./colours.js";
import { button, choice, make } from "./controls.js";
import { format } from "./ticks.js";

const MARGIN = { left: 62, right: 16, top: 10, bottom: 40 }, STRIP = 92, GAP = 16; // CSS pixels
/** Pixels that make a drag of a click, and milliseconds in which a second click makes it a double one. */
const DRAG = 5, DOUBLE = 260;
const HINT = "drag to zoom, double click to go back, click to explore a value";
const KEYS = "arrows move the cursor, with shift further; Enter explores its value, plus zooms in, minus goes back";
const FROM = [["", "the same state"], ["up", "its neighbour, upwards"], ["down", "its neighbour, downwards"]];
const STYLE = `
.cl-diagram { font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif); color: var(--ink); background: var(--ground);
  max-width: 1100px; padding: 4px 0; }
.cl-diagram-bar { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; padding-bottom: 6px; }
.cl-diagram-bar strong { font-size: 15px; margin-right: auto; }
.cl-diagram-bar label { display: flex; gap: 6px; align-items: center; color: var(--soft); }
.cl-diagram-bar button, .cl-diagram-bar select { font: inherit; color: var(--ink); background: var(--ground);
  border: 1px solid var(--soft); border-radius: 4px; padding: 3px 10px; }
.cl-diagram-bar button { cursor: pointer; }
.cl-diagram-bar button:disabled { opacity: 0.4; cursor: default; }
.cl-diagram :focus-visible { outline: 2px solid var(--mark); outline-offset: 1px; }
.cl-diagram canvas { display: block; width: 100%; height: 470px; cursor: crosshair; touch-action: pan-y; }
.cl-diagram-said { display: flex; flex-wrap: wrap; min-height: 1.4em; padding-top: 4px; color: var(--soft); }
.cl-diagram [hidden] { display: none; }
.cl-diagram-said output { color: var(--ink); font-variant-numeric: tabular-nums; margin-left: auto; }
`;

/** What a widget manager calls: draw `model` into `el`; gives what clears it away. */
export function render({ model, el }) {
  const diagram = new Diagram(model, el);
  return () => diagram.dispose();
}

export default { render };

export class Diagram {
  constructor(model, el) {
    Object.assign(this, { model, of: model.get("of"), cursor: null, drag: null, request: null, kept: document.createElement("canvas") });
    this.build(el);
    this.events = { "change:look": () => this.move(), "change:picture": () => this.learn(), "change:exponents": () => this.learn(),
      "change:busy": () => this.tell(), "change:message": () => this.tell(), "change:opened": () => this.invalidate() };
    for (const [event, call] of Object.entries(this.events)) model.on(event, call);
    this.theme(isDark(el));
    this.unwatch = watchDark(el, (dark) => this.theme(dark));
    this.sizes = new ResizeObserver(() => {
      this.stale = true;
      this.draw(); // before the page is painted, or a frame would be stretched
    });
    this.sizes.observe(this.canvas);
    this.learn();
    this.move();
  }

  build(el) {
    const { title, parameter, component } = this.of, send = (message) => this.model.send(message);
    const words = `bifurcation diagram of ${title || "a system"}: ${component} over ${parameter}`;
    this.canvas = make("canvas", { tabindex: 0, role: "slider", "aria-label": words, "aria-description": KEYS });
    this.canvas.dataset.lmSuppressShortcuts = "true"; // as `make` does for what takes keys itself
    this.backward = button({ text: "back", label: "back to the range before", act: () => send({ kind: "back" }) });
    this.outward = button({ text: "whole range", act: () => send({ kind: "whole" }) });
    this.way = choice({ label: "each value starts from", value: "", options: FROM, change: (way) => send({ kind: "follow", way }) });
    this.status = make("span", { role: "status" });
    this.hint = make("span", {}, HINT);
    this.read = make("output", { "aria-hidden": "true" });
    const name = make("strong", {}, title || "Bifurcation diagram");
    this.root = make("div", { class: "cl-diagram", role: "region", "aria-label": words }, make("style", {}, STYLE),
      make("div", { class: "cl-diagram-bar" }, name, this.way.element, this.backward, this.outward), this.canvas,
      make("div", { class: "cl-diagram-said" }, this.status, this.hint, this.read));
    el.append(this.root);
    const hear = (event, call) => this.canvas.addEventListener(event, call);
    hear("pointerdown", (event) => this.press(event));
    hear("pointermove", (event) => this.follow(event));
    hear("pointerup", (event) => this.release(event));
    hear("pointercancel", () => this.abandon());
    hear("pointerleave", () => this.drag ?? this.point(null));
    hear("dblclick", () => (clearTimeout(this.click), send({ kind: "back" })));
    hear("keydown", (event) => this.key(event));
    hear("focus", () => this.cursor ?? this.point((this.look.low + this.look.high) / 2));
  }

  get look() { return this.model.get("look"); }

  theme(dark) {
    this.colours = palette(dark);
    const { ink, soft, ground, tints } = this.colours;
    for (const [key, value] of Object.entries({ ink, soft, ground, mark: tints[0] })) this.root.style.setProperty(`--${key}`, value);
    this.invalidate(true);
  }

  /** Another range: what is there already is drawn in its place at once. */
  move() {
    const { low, high, follow, depth } = this.look;
    this.backward.disabled = depth === 0;
    this.outward.disabled = low === this.of.whole[0] && high === this.of.whole[1];
    this.way.set(follow);
    this.canvas.setAttribute("aria-valuemin", low);
    this.canvas.setAttribute("aria-valuemax", high);
    this.point(this.cursor === null ? null : Math.min(high, Math.max(low, this.cursor)));
    this.tell();
    this.invalidate(true);
  }

  /** Read what has been computed. */
  learn() {
    const { place, value, period, ...picture } = this.model.get("picture") ?? {}, strip = this.model.get("exponents") ?? {};
    this.picture = { ...picture, place: floats(place), value: floats(value), period: floats(period) };
    this.strip = { ...strip, exponent: floats(strip.exponent), error: floats(strip.error) };
    this.point(this.cursor);
    this.tell();
    this.invalidate(true);
  }

  tell() {
    const { low, high } = this.look, gaps = this.picture?.low === low && this.picture?.high === high ? this.picture.told : "";
    const words = this.model.get("message") || [this.model.get("busy") ? "computing ..." : "", gaps].filter(Boolean).join(" · ");
    if (this.status.textContent !== words) this.status.textContent = words;
    this.hint.hidden = words !== "";
    this.canvas.setAttribute("aria-busy", String(this.model.get("busy")));
  }

  // --- hands --------------------------------------------------------------------------------------------------------

  /** The value of the parameter at a pixel, as short as the pixel allows. */
  value(x) {
    const { low, high } = this.look, { left, right } = this.area, step = 10 ** Math.floor(Math.log10((high - low) / (right - left)));
    const exact = low + (high - low) * Math.min(1, Math.max(0, (x - left) / (right - left)));
    return Number((Math.round(exact / step) * step).toPrecision(15));
  }

  press(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { from: event.offsetX, to: event.offsetX };
  }

  follow(event) {
    if (this.drag) this.drag.to = event.offsetX;
    this.point(this.value(event.offsetX));
  }

  release(event) {
    if (!this.drag) return;
    const { from } = this.drag, to = event.offsetX;
    this.abandon();
    const [low, high] = [this.value(Math.min(from, to)), this.value(Math.max(from, to))];
    if (Math.abs(to - from) >= DRAG && low < high) this.model.send({ kind: "zoom", low, high });
    else if (event.detail < 2) {
      clearTimeout(this.click);
      this.click = setTimeout(() => this.open(this.value(to)), DOUBLE);
    }
  }

  abandon() {
    this.drag = null;
    this.invalidate();
  }

  open(value) {
    this.model.send({ kind: "open", value });
  }

  key(event) {
    const { low, high } = this.look, width = this.area.right - this.area.left, at = this.cursor ?? (low + high) / 2;
    const step = ((high - low) / width) * (event.shiftKey ? 20 : 2);
    const places = { ArrowLeft: at - step, ArrowRight: at + step, Home: low, End: high };
    const third = (high - low) / 3, [from, to] = [Math.max(low, at - third / 2), Math.min(high, at + third / 2)];
    const closer = () => this.model.send({ kind: "zoom", low: from, high: to });
    const acts = { Enter: () => this.open(at), "+": closer, "-": () => this.model.send({ kind: "back" }) };
    if (event.key in places) {
      const pixel = this.area.left + (Math.min(high, Math.max(low, places[event.key])) - low) / (high - low) * width;
      this.point(this.value(pixel));
    } else if (event.key in acts) acts[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation(); // or a notebook would go to another cell
  }

  /** Put the cursor at a value of the parameter, and say what is there. */
  point(value) {
    this.cursor = value;
    const said = value === null ? "" : this.words(value);
    this.read.textContent = said;
    if (value !== null) this.canvas.setAttribute("aria-valuenow", value);
    this.canvas.setAttribute("aria-valuetext", said || "no value chosen");
    this.invalidate();
  }

  words(value) {
    const { picture, strip, of } = this, found = [`${of.parameter} = ${String(value).replace("-", "−")}`];
    const gap = picture.gaps?.find((one) => one.from <= value && value <= one.to);
    if (gap) return [...found, gap.why].join(" · ");
    const period = picture.period[place(picture, picture.place.length, value)];
    if (period > 0) found.push(of.kind === "map" ? `period ${period}` : period === 1 ? "1 point a turn" : `repeats after ${period} points`);
    const k = place(strip, strip.exponent.length, value), exponent = strip.exponent[k];
    const shown = (number, digits) => format(Number(number.toPrecision(digits)), 10 ** -5);
    if (Number.isFinite(exponent) && !this.look.follow) found.push(`largest exponent ${shown(exponent, 3)} ± ${shown(strip.error[k], 1)}`);
    return found.join(" · ");
  }

  // --- pictures -----------------------------------------------------------------------------------------------------

  invalidate(stale = false) {
    this.stale ||= stale;
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.draw();
    });
  }

  draw() {
    if (!this.canvas.clientWidth) return; // a notebook takes cells out of the page that are scrolled away
    const { canvas, kept } = this, density = Math.min(window.devicePixelRatio || 1, 3);
    const [width, height] = [Math.max(200, canvas.clientWidth), Math.max(240, canvas.clientHeight)];
    const [w, h] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== w || canvas.height !== h) for (const one of [canvas, kept]) Object.assign(one, { width: w, height: h });
    const foot = height - MARGIN.bottom;
    this.area = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: foot - STRIP - GAP };
    this.below = { ...this.area, top: foot - STRIP, bottom: foot };
    if (this.stale) {
      this.stale = false;
      const pen = kept.getContext("2d");
      pen.setTransform(density, 0, 0, density, 0, 0);
      pen.clearRect(0, 0, width, height);
      const { area, below, look, picture, strip, colours, of } = this;
      new Painting({ area, below, look, picture, strip, colours, of, density }).draw(pen);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, w, h);
    pen.drawImage(kept, 0, 0);
    pen.setTransform(density, 0, 0, density, 0, 0);
    this.overlay(pen);
  }

  overlay(pen) {
    const { area, below, cursor, drag, colours } = this, opened = this.model.get("opened");
    const upright = (value, tint, alpha, dash) => {
      const x = across(this.area, this.look, value);
      pen.setLineDash(dash);
      if (x >= area.left - 1 && x <= area.right + 1) line(pen, [[x, area.top], [x, below.bottom]], tint, alpha, 1.2);
      pen.setLineDash([]);
    };
    if (opened !== null) upright(opened, colours.tints[1], 1, [5, 4]);
    if (cursor !== null) upright(cursor, colours.ink, 0.5, []);
    if (!drag || Math.abs(drag.to - drag.from) < DRAG) return;
    const [left, right] = [drag.from, drag.to].sort((a, b) => a - b).map((x) => Math.min(area.right, Math.max(area.left, x)));
    Object.assign(pen, { fillStyle: colours.tints[0], globalAlpha: 0.18 });
    pen.fillRect(left, area.top, right - left, below.bottom - area.top);
    pen.globalAlpha = 1;
  }

  dispose() {
    for (const [event, call] of Object.entries(this.events)) this.model.off(event, call);
    clearTimeout(this.click);
    cancelAnimationFrame(this.request);
    this.sizes.disconnect();
    this.unwatch();
    this.root.remove();
  }
}

/** Numbers of a buffer, copied: its bytes need not begin where a float may. */
function floats(view) {
  return view?.byteLength ? new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)) : new Float32Array();
}

/** The place of the nearest of `count` values from `low` to `high`, evenly spaced; -1 where there is none. */
function place({ low, high }, count, value) {
  const k = Math.round((value - low) / (high - low) * (count - 1));
  return k >= 0 && k < count ? k : -1;
}
