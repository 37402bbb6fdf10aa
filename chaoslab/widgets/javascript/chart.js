// A chart of layers over two axes: lines, dots, areas, bars, bands and whatever draws itself; with a hand on it where one is wanted.

import { FONT, slanted } from "./axes.js";
import { isDark, palette } from "./colours.js";
import { make } from "./controls.js";
import { format, ticks } from "./ticks.js";

const MARGIN = { left: 58, right: 14, top: 26, bottom: 38 }; // CSS pixels

/** One canvas with a title, a frame and layers; `hand` is called with ("hover" | "press" | "drag" | "release" | "leave", {x, y}). */
export class Chart {
  /** @param options {label: for screen readers, height: CSS pixels, square: whether the axes are, hand, keys: called with a key's event} */
  constructor({ label, height = 300, square = false, hand = null, keys = null }) {
    Object.assign(this, { label, square, hand, request: null, held: false, content: { layers: [] }, ending: new AbortController() });
    this.canvas = make("canvas", { role: "img", "aria-label": label });
    this.element = make("div", { class: "cl-chart", style: square ? `aspect-ratio: 1; max-height: ${height}px` : `height: ${height}px` }, this.canvas);
    if (hand) this.listen();
    if (keys) {
      this.canvas.tabIndex = 0;
      this.canvas.dataset.lmSuppressShortcuts = "true"; // as `make` does for what takes keys itself
      this.canvas.addEventListener("keydown", keys, { signal: this.ending.signal });
    }
    this.sizes = new ResizeObserver(() => this.draw()); // before the page is painted, or a frame would be stretched
    this.sizes.observe(this.element);
  }

  listen() {
    const on = (name, call) => this.canvas.addEventListener(name, call, { signal: this.ending.signal });
    const tell = (phase) => (event) => {
      const at = this.value(event.offsetX, event.offsetY, this.held);
      if (at) this.hand(phase, at);
      else if (!this.held) this.hand("leave", null);
    };
    on("pointerdown", (event) => {
      if (event.button !== 0 || !this.value(event.offsetX, event.offsetY)) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.held = true;
      tell("press")(event);
    });
    on("pointermove", (event) => tell(this.held ? "drag" : "hover")(event));
    on("pointerup", (event) => {
      if (!this.held) return;
      tell("release")(event);
      this.held = false;
    });
    on("pointercancel", () => (this.held = false));
    on("pointerleave", () => this.held || this.hand("leave", null));
    Object.assign(this.canvas.style, { cursor: "crosshair", touchAction: "pan-y" });
  }

  /** {title, x: {label, range, bare: without numbers}, y: {label, range}, layers: [{kind, ...}], empty: words where there is nothing to show}. */
  set(content) {
    this.content = { layers: [], ...content };
    const { title, x, y } = this.content;
    this.canvas.setAttribute("aria-label", [`${this.label}: ${y?.label ?? ""} over ${x?.label ?? ""}`, title].filter(Boolean).join(". "));
    this.invalidate();
  }

  invalidate() {
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.draw();
    });
  }

  /** What lies under a pixel, in the axes' numbers; null beside the axes, unless `held` there. */
  value(px, py, held = false) {
    const { area, x, y } = this.layout ?? {};
    if (!area) return null;
    if (!held && (px < area.left || px > area.right || py < area.top || py > area.bottom)) return null;
    const part = (value, low, high) => Math.min(1, Math.max(0, (value - low) / (high - low)));
    return {
      x: x.low + part(px, area.left, area.right) * (x.high - x.low),
      y: y.low + part(py, area.bottom, area.top) * (y.high - y.low),
    };
  }

  draw() {
    const { canvas } = this, density = Math.min(window.devicePixelRatio || 1, 3);
    if (!this.element.clientWidth) return; // a notebook takes cells out of the page that are scrolled away
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    Object.assign(canvas, { width: Math.round(width * density), height: Math.round(height * density) });
    const pen = canvas.getContext("2d"), colours = palette(isDark(this.element));
    pen.setTransform(density, 0, 0, density, 0, 0);
    this.arrange(width, height);
    const { area } = this.layout, layers = this.content.layers.filter(Boolean);
    if (this.content.empty) return this.words(pen, colours, this.content.empty);
    pen.save();
    pen.beginPath();
    pen.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
    pen.clip();
    layers.filter(({ kind }) => UNDER.includes(kind)).forEach((layer) => DRAWN[layer.kind](pen, this.layout, layer, colours));
    pen.restore();
    this.frame(pen, colours);
    pen.save();
    pen.beginPath();
    pen.rect(area.left - 3, area.top - 3, area.right - area.left + 6, area.bottom - area.top + 6);
    pen.clip();
    layers.filter(({ kind }) => !UNDER.includes(kind)).forEach((layer) => DRAWN[layer.kind](pen, this.layout, layer, colours));
    pen.restore();
    this.words(pen, colours);
  }

  arrange(width, height) {
    const foot = height - (this.content.x?.bare ? 10 : MARGIN.bottom);
    const area = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: Math.max(MARGIN.top + 20, foot) };
    if (this.content.title === undefined) area.top = 10;
    if (this.square) {
      const side = Math.min(area.right - area.left, area.bottom - area.top);
      const shift = (area.right - area.left - side) / 2;
      Object.assign(area, { left: area.left + shift, right: area.left + shift + side, bottom: area.top + side });
    }
    const axis = (key, from, to) => {
      const [low, high] = this.content[key]?.range ?? extent(this.content.layers, key);
      return { low, high, at: (value) => from + (value - low) / (high - low || 1) * (to - from) };
    };
    this.layout = { area, x: axis("x", area.left, area.right), y: axis("y", area.bottom, area.top) };
  }

  frame(pen, colours) {
    const { area, x, y } = this.layout;
    Object.assign(pen, { font: `11px ${FONT}`, fillStyle: colours.soft, textBaseline: "middle", textAlign: "right" });
    const rows = ticks(y.low, y.high, Math.max(2, (area.bottom - area.top) / 45));
    for (const value of rows) {
      stroke(pen, [[area.left, y.at(value)], [area.right, y.at(value)]], colours.grid, 1, 0.6);
      pen.fillText(format(value, rows[1] - rows[0]), area.left - 7, y.at(value));
    }
    pen.textAlign = "center";
    const columns = ticks(x.low, x.high, Math.max(2, (area.right - area.left) / 80));
    for (const value of columns) {
      stroke(pen, [[x.at(value), area.top], [x.at(value), area.bottom]], colours.grid, 1, 0.6);
      if (!this.content.x?.bare) pen.fillText(format(value, columns[1] - columns[0]), x.at(value), area.bottom + 11);
    }
    stroke(pen, [[area.left, area.top], [area.left, area.bottom], [area.right, area.bottom]], colours.grid, 1, 1);
  }

  words(pen, colours, empty = null) {
    const { area } = this.layout, { title, x, y } = this.content, middle = (area.left + area.right) / 2;
    Object.assign(pen, { fillStyle: colours.ink, textAlign: "left", textBaseline: "middle", font: `12.5px ${FONT}`, globalAlpha: 1 });
    if (title) pen.fillText(title, area.left, 12, Math.max(60, this.element.clientWidth - area.left - 4));
    pen.textAlign = "center";
    if (empty) {
      pen.fillStyle = colours.soft;
      const lines = wrapped(pen, empty, area.right - area.left - 16);
      lines.forEach((line, k) => pen.fillText(line, middle, (area.top + area.bottom) / 2 + 17 * k));
      return;
    }
    const font = (text) => (text.length < 4 && slanted(text) ? `italic 15px ${FONT}` : `12px ${FONT}`);
    pen.font = font(x?.label ?? "");
    pen.fillText(x?.label ?? "", middle, area.bottom + 28);
    pen.save();
    pen.translate(area.left - 44, (area.top + area.bottom) / 2);
    if ((y?.label ?? "").length > 3) pen.rotate(-Math.PI / 2);
    pen.font = font(y?.label ?? "");
    pen.fillText(y?.label ?? "", 0, 0, area.bottom - area.top + 30);
    pen.restore();
  }

  dispose() {
    cancelAnimationFrame(this.request);
    this.ending.abort();
    this.sizes.disconnect();
  }
}

/** Layers that lie below the grid. */
const UNDER = ["area", "band"];

/** How each kind of layer is drawn; a tint is a number of the palette, "ink", "soft" or a colour. */
const DRAWN = {
  line(pen, { x, y }, { x: xs, y: ys, tint, width = 1.4, alpha = 1, dash = [] }, colours) {
    stroke(pen, [...xs].map((value, k) => [x.at(value), y.at(ys[k])]), paint(tint, colours), width, alpha, dash);
  },
  dots(pen, { x, y }, { x: xs, y: ys, tint, size = 2, alpha = 1, hollow = false }, colours) {
    Object.assign(pen, { fillStyle: paint(tint, colours), strokeStyle: paint(tint, colours), globalAlpha: alpha, lineWidth: 1.6 });
    for (let k = 0; k < xs.length; k++) {
      const [px, py] = [x.at(xs[k]), y.at(ys[k])];
      if (!Number.isFinite(px + py)) continue;
      if (size <= 2.5 && !hollow) {
        pen.fillRect(px - size / 2, py - size / 2, size, size);
        continue;
      }
      pen.beginPath();
      pen.arc(px, py, size / 2, 0, 2 * Math.PI);
      if (hollow) pen.stroke();
      else pen.fill();
    }
    pen.globalAlpha = 1;
  },
  area(pen, { x, y }, { x: xs, low, high, tint, alpha = 1 }, colours) {
    pen.beginPath();
    xs.forEach((value, k) => pen.lineTo(x.at(value), y.at(high[k])));
    for (let k = xs.length - 1; k >= 0; k--) pen.lineTo(x.at(xs[k]), y.at(low[k]));
    Object.assign(pen, { fillStyle: paint(tint, colours), globalAlpha: alpha });
    pen.fill();
    pen.globalAlpha = 1;
  },
  bars(pen, { x, y }, { edges, y: counts, tint }, colours) {
    Object.assign(pen, { fillStyle: paint(tint, colours), globalAlpha: 0.85 });
    counts.forEach((count, k) => {
      const [left, right, top] = [x.at(edges[k]), x.at(edges[k + 1]), y.at(count)];
      pen.fillRect(left, top, Math.max(0.8, right - left - 0.5), y.at(0) - top);
    });
    pen.globalAlpha = 1;
  },
  band(pen, { area, x }, { from, to, tint, alpha = 0.15 }, colours) {
    Object.assign(pen, { fillStyle: paint(tint, colours), globalAlpha: alpha });
    pen.fillRect(x.at(from), area.top, Math.max(1.5, x.at(to) - x.at(from)), area.bottom - area.top);
    pen.globalAlpha = 1;
  },
  text(pen, { x, y }, { x: at, y: up, text, tint, anchor = "center", shift = [0, 0], slant = false }, colours) {
    Object.assign(pen, { font: `${slant ? "italic " : ""}12px ${FONT}`, fillStyle: paint(tint, colours), textAlign: anchor, textBaseline: "middle" });
    Object.assign(pen, { strokeStyle: colours.ground, lineWidth: 3, lineJoin: "round", globalAlpha: 0.8 });
    pen.strokeText(text, x.at(at) + shift[0], y.at(up) + shift[1]);
    pen.globalAlpha = 1;
    pen.fillText(text, x.at(at) + shift[0], y.at(up) + shift[1]);
  },
  own(pen, layout, { draw }, colours) {
    draw(pen, layout, colours);
  },
};

function paint(tint, colours) {
  return typeof tint === "number" ? colours.tints[tint % colours.tints.length] : colours[tint] ?? tint;
}

export function stroke(pen, points, tint, width, alpha, dash = []) {
  pen.setLineDash(dash);
  pen.beginPath();
  let open = false;
  for (const [x, y] of points) {
    const good = Number.isFinite(x + y);
    if (good) (open ? pen.lineTo : pen.moveTo).call(pen, x, y);
    open = good;
  }
  Object.assign(pen, { strokeStyle: tint, lineWidth: width, globalAlpha: alpha, lineJoin: "round" });
  pen.stroke();
  pen.globalAlpha = 1;
  pen.setLineDash([]);
}

/** The ends of what layers show along an axis, with a little air. */
function extent(layers, key) {
  let [low, high] = [Infinity, -Infinity];
  for (const layer of layers.filter(Boolean)) {
    const values = layer.kind === "bars" && key === "x" ? layer.edges : layer[key];
    for (const value of Array.isArray(values) || ArrayBuffer.isView(values) ? values : []) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (layer.kind === "bars" && key === "y") low = Math.min(low, 0);
  }
  if (!(low <= high)) return [0, 1];
  const air = (high - low) * 0.04 || Math.abs(low) * 0.05 || 1;
  return [layers.some((layer) => layer?.kind === "bars") && key === "y" ? low : low - air, high + air];
}

/** Words in lines of at most so many pixels. */
function wrapped(pen, text, wide) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (pen.measureText(longer).width > wide && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
