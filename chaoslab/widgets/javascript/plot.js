// Curves over an axis: a component over time, the distance of twins on a log scale.

import { FONT, slanted } from "./axes.js";
import { palette } from "./colours.js";
import { decades, format, ticks } from "./ticks.js";

const MARGIN = { left: 54, right: 14, top: 8, bottom: 36 }; // CSS pixels
const DASH = [6, 4];

/** A plot on one canvas that fills its parent; drawn when set, when its size changes and when its cursor moves. */
export class Plot {
  /** @param options {dark, axis: false leaves out the numbers below, as in a stack; onpick: called with x where one points} */
  constructor(canvas, { dark = false, axis = true, onpick = null } = {}) {
    Object.assign(this, { canvas, isDark: dark, axis, onpick, place: null, request: null, kept: document.createElement("canvas") });
    /** How many times the curves were drawn. */
    this.frames = 0;
    this.content = { x: [], lines: [], marks: [] };
    Object.assign(canvas.style, { display: "block", width: "100%", height: "100%" });
    canvas.setAttribute("role", "img");
    this.sizes = new ResizeObserver(() => this.measure());
    this.sizes.observe(canvas);
    this.ending = new AbortController();
    const pick = (event) => {
      const x = this.value(event.offsetX);
      if (event.buttons & 1 && x !== null) this.onpick?.(x);
    };
    for (const name of ["pointerdown", "pointermove"]) canvas.addEventListener(name, pick, { signal: this.ending.signal });
    this.measure();
  }

  measure() {
    const density = Math.min(window.devicePixelRatio || 1, 3);
    this.width = Math.max(1, this.canvas.clientWidth);
    this.height = Math.max(1, this.canvas.clientHeight);
    const [w, h] = [Math.round(this.width * density), Math.round(this.height * density)];
    if (this.density === density && this.canvas.width === w && this.canvas.height === h) return;
    this.density = density;
    for (const canvas of [this.canvas, this.kept]) Object.assign(canvas, { width: w, height: h });
    this.stale = true;
    this.invalidate();
  }

  /** {x: numbers going up, lines: [{y, tint, label}], log, title, xlabel, ylabel, xrange: [low, high], yrange,
   * marks: [{x, label}, {line: {from: [x, y], to: [x, y]}, label, tint}]}. */
  set(content) {
    this.content = { x: [], lines: [], marks: [], ...content };
    const { title, ylabel, xlabel, lines } = this.content;
    const names = lines.map(({ label }) => label).filter(Boolean).join(", ");
    const what = `${title ?? ylabel ?? names} over ${xlabel ?? "time"}`;
    this.canvas.setAttribute("aria-label", title && names ? `${what}: ${names}` : what);
    this.stale = true;
    this.invalidate();
  }

  get dark() { return this.isDark; }
  set dark(dark) {
    this.isDark = dark;
    this.stale = true;
    this.invalidate();
  }

  /** Marks a place on the x axis, such as a comet's head; null for none. */
  cursor(x) {
    if (x === this.place) return;
    this.place = x;
    this.invalidate();
  }

  invalidate() {
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.draw();
    });
  }

  /** Draws now: the curves where they changed, and the cursor. */
  draw() {
    const { canvas, kept, density, place } = this;
    if (this.stale) {
      this.frames++;
      this.stale = false;
      const context = kept.getContext("2d");
      context.setTransform(density, 0, 0, density, 0, 0);
      context.clearRect(0, 0, this.width, this.height);
      this.curves(context);
    }
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(kept, 0, 0);
    const { area, across } = this.layout;
    if (place === null || !(place >= across.low && place <= across.high)) return;
    context.setTransform(density, 0, 0, density, 0, 0);
    const x = across.at(place), colours = palette(this.dark);
    stroke(context, [[x, area.top], [x, area.bottom]], colours.head, 1, 0.55);
    const [line] = this.content.lines, y = line && this.scale(line.y[nearest(this.content.x, place)]);
    if (!Number.isFinite(y)) return;
    const dot = new Path2D();
    dot.arc(x, Math.min(area.bottom, Math.max(area.top, this.layout.up.at(y))), 3.5, 0, 2 * Math.PI);
    context.fillStyle = colours.head;
    context.fill(dot);
  }

  scale(y) {
    return this.content.log ? (y > 0 ? Math.log10(y) : NaN) : y;
  }

  /** The value on the x axis under a place of the canvas, or null beside the axes. */
  value(offset) {
    const { area, across } = this.layout ?? {};
    if (!area || offset < area.left || offset > area.right) return null;
    return across.low + (offset - area.left) / (area.right - area.left) * (across.high - across.low);
  }

  /** Where everything lies: the rectangle, and both axes as {low, high, at: value -> pixel}. */
  arrange() {
    const { x, lines, log, title, xrange, yrange } = this.content, { width, height } = this;
    const legend = this.legend(), top = MARGIN.top + (title || legend.length ? 16 : 0);
    const bottom = height - (this.axis ? MARGIN.bottom : 8);
    const area = { left: MARGIN.left, right: width - MARGIN.right, top, bottom: Math.max(top + 10, bottom) };
    const [first, last] = xrange ?? [x[0] ?? 0, x[x.length - 1] ?? 1];
    const from = nearest(x, first), to = nearest(x, last);
    let [low, high] = yrange ? yrange.map((y) => this.scale(y)) : extent(lines.map(({ y }) => y), from, to, (y) => this.scale(y));
    if (!yrange) {
      const air = (high - low) * 0.06 || Math.abs(low) * 0.05 || 1;
      [low, high] = [low - air, high + air];
    }
    const between = (a, b, p, q) => ({ low: a, high: b, at: (value) => p + (value - a) / (b - a || 1) * (q - p) });
    const across = between(first, last, area.left, area.right), up = between(low, high, area.bottom, area.top);
    this.layout = { area, legend, from, to, log, across, up };
  }

  /** Curves and sloping marks that have a name: [{label, tint, dash}]; none for a single curve. */
  legend() {
    const { lines, marks } = this.content, { tints, ink } = palette(this.dark);
    const named = lines.map(({ label, tint }, place) => ({ label, tint: tint ?? tints[place % tints.length], dash: [] }));
    for (const { line, label, tint } of marks) if (line) named.push({ label, tint: tint ?? ink, dash: DASH });
    const shown = named.filter(({ label }) => label);
    return shown.length > 1 ? shown : [];
  }

  curves(context) {
    this.arrange();
    const { area } = this.layout, { lines } = this.content, colours = palette(this.dark);
    this.grid(context, colours);
    context.save();
    context.beginPath();
    context.rect(area.left, area.top - 1, area.right - area.left, area.bottom - area.top + 2);
    context.clip();
    lines.forEach((line, place) => this.curve(context, line.y, line.tint ?? colours.tints[place % colours.tints.length]));
    this.marks(context, colours);
    context.restore();
    this.words(context, colours);
  }

  grid(context, colours) {
    const { area, across, up, log } = this.layout;
    context.font = `11px ${FONT}`;
    context.fillStyle = colours.soft;
    context.textBaseline = "middle";
    const tall = area.bottom - area.top, wanted = Math.max(2, Math.round(tall / 38));
    const numbers = (found) => found.map((value) => ({ value, text: format(value, found[1] - found[0] || 0) }));
    const rows = log ? decades(up.low, up.high, wanted) : numbers(ticks(up.low, up.high, wanted));
    context.textAlign = "right";
    for (const { value, text } of rows) {
      stroke(context, [[area.left, up.at(value)], [area.right, up.at(value)]], colours.grid, 1, 0.6);
      context.fillText(text, area.left - 7, up.at(value));
    }
    context.textAlign = "center";
    const wide = area.right - area.left;
    for (const { value, text } of numbers(ticks(across.low, across.high, Math.max(2, Math.round(wide / 90))))) {
      stroke(context, [[across.at(value), area.top], [across.at(value), area.bottom]], colours.grid, 1, 0.6);
      if (this.axis) context.fillText(text, across.at(value), area.bottom + 12);
    }
    stroke(context, [[area.left, area.top], [area.left, area.bottom], [area.right, area.bottom]], colours.grid, 1, 1);
  }

  /** One curve; where there are several samples to a pixel, the lowest and the highest of each column. */
  curve(context, values, tint) {
    const { from, to, across } = this.layout, { x } = this.content;
    const many = (to - from + 1) / Math.max(1, across.at(x[to]) - across.at(x[from])) > 3;
    stroke(context, many ? this.envelope(values) : this.samples(values), tint, many ? 1 : 1.4, 1);
  }

  samples(values) {
    const { from, to, across, up } = this.layout, { x } = this.content, points = [];
    for (let i = Math.max(0, from - 1); i <= Math.min(to + 1, x.length - 1); i++) {
      points.push([across.at(x[i]), up.at(this.scale(values[i]))]);
    }
    return points;
  }

  envelope(values) {
    const { from, to, across, up } = this.layout, { x } = this.content, points = [];
    let column = NaN, low = 0, high = 0, first = 0, last = 0;
    const close = () => points.push(...[first, low, high, last].map((y) => [column + 0.5, y]));
    for (let i = from; i <= to; i++) {
      const y = up.at(this.scale(values[i])), here = Math.floor(across.at(x[i]));
      if (!Number.isFinite(y)) continue;
      if (here !== column) {
        if (!Number.isNaN(column)) close();
        [column, low, high, first] = [here, y, y, y];
      }
      [low, high, last] = [Math.min(low, y), Math.max(high, y), y];
    }
    if (!Number.isNaN(column)) close();
    return points;
  }

  /** Dashed lines; an upright one has its label at its foot, a sloping one in the legend. */
  marks(context, colours) {
    const { area, across, up } = this.layout;
    Object.assign(context, { font: `11px ${FONT}`, lineJoin: "round" });
    for (const { x, line, label, tint = colours.ink } of this.content.marks) {
      const upright = [[across.at(x), area.top], [across.at(x), area.bottom]];
      const ends = line ? [line.from, line.to].map(([a, b]) => [across.at(a), up.at(this.scale(b))]) : upright;
      stroke(context, ends, tint, 1.5, 1, DASH);
      if (line || !label) continue;
      const wide = context.measureText(label).width, right = ends[0][0] + 6 + wide < area.right;
      Object.assign(context, { textAlign: right ? "left" : "right", lineWidth: 4, strokeStyle: colours.ground, fillStyle: tint });
      const place = [ends[0][0] + (right ? 6 : -6), area.bottom - 10];
      context.strokeText(label, ...place);
      context.fillText(label, ...place);
    }
  }

  words(context, colours) {
    const { area, legend } = this.layout, { title, xlabel, ylabel } = this.content;
    Object.assign(context, { fillStyle: colours.ink, textAlign: "left", font: `12px ${FONT}` });
    if (title) context.fillText(title, area.left, area.top - 12);
    context.textAlign = "right";
    let right = area.right;
    for (const { label, tint, dash } of legend.slice().reverse()) {
      context.fillText(label, right, area.top - 12);
      right -= context.measureText(label).width + 22;
      stroke(context, [[right, area.top - 12], [right + 17, area.top - 12]], tint, 2, 1, dash);
      right -= 14;
    }
    context.textAlign = "center";
    if (xlabel && this.axis) context.fillText(xlabel, (area.left + area.right) / 2, area.bottom + 28);
    if (!ylabel) return;
    context.save();
    context.translate(11, (area.top + area.bottom) / 2);
    if (ylabel.length > 3 || !slanted(ylabel)) context.rotate(-Math.PI / 2);
    else context.font = `italic 15px ${FONT}`;
    context.fillText(ylabel, 0, 0);
    context.restore();
  }

  dispose() {
    cancelAnimationFrame(this.request);
    this.ending.abort();
    this.sizes.disconnect();
  }
}

function stroke(context, points, tint, width, alpha, dash = []) {
  context.setLineDash(dash);
  context.beginPath();
  let open = false;
  for (const [x, y] of points) {
    const good = Number.isFinite(x) && Number.isFinite(y);
    if (good) (open ? context.lineTo : context.moveTo).call(context, x, y);
    open = good;
  }
  Object.assign(context, { strokeStyle: tint, lineWidth: width, globalAlpha: alpha, lineJoin: "round" });
  context.stroke();
  context.globalAlpha = 1;
}

/** The place in a rising sequence whose value is nearest. */
export function nearest(sequence, value) {
  let low = 0, high = sequence.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sequence[middle] <= value) low = middle;
    else high = middle;
  }
  return high > low && value - sequence[low] > sequence[high] - value ? high : Math.max(0, low);
}

function extent(curves, from, to, scale) {
  let low = Infinity, high = -Infinity;
  for (const values of curves) {
    for (let i = from; i <= Math.min(to, values.length - 1); i++) {
      const y = scale(values[i]);
      if (!Number.isFinite(y)) continue;
      if (y < low) low = y;
      if (y > high) high = y;
    }
  }
  return low <= high ? [low, high] : [0, 1];
}
