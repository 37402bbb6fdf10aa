// What is looked at: the attractor, what is seen along its axes over time, and how far twins are apart.

import { gradient, isDark, palette, watchDark } from "./colours.js";
import { make, short } from "./controls.js";
import { isFixedOf, isOf } from "./panel.js";
import { download, png, svg } from "./pictures.js";
import { Plot } from "./plot.js";
import { Scene } from "./scene.js";

/** The frame grows at once to hold what leaves it by a tenth, and shrinks at rest to what fills less than this part of it. */
const OUTSIDE = 1.1;
const SMALL = 0.5;
/** Periods (iterations of a map) of the series that are shown at once: more would be a solid band. */
const WINDOW = { flow: 40, delay: 40, map: 200 };

export class Views {
  constructor(recipe, host) {
    this.recipe = recipe;
    const canvas = make("canvas", {});
    this.element = make("div", { class: "cl-stage" }, canvas);
    const strip = (kind) => make("div", { class: kind }, make("canvas", {}));
    this.strips = recipe.axes.map(() => strip("cl-series"));
    this.gap = strip("cl-twins");
    this.gap.hidden = true;
    this.legend = make("div", { class: "cl-legend" });
    this.element.append(this.legend);
    this.lower = make("div", { class: "cl-lower" }, ...this.strips, this.gap);
    const dark = isDark(host);
    try {
      this.scene = new Scene(canvas, { dark, title: recipe.title });
      this.scene.onhead = (head) => this.point(head);
    } catch (error) {
      this.element.replaceChildren(make("p", { class: "cl-complaint", role: "alert" }, error.message));
    }
    const pick = (x) => this.pick(x);
    this.plots = this.strips.map((place) => new Plot(place.firstChild, { dark, onpick: pick }));
    this.twins = new Plot(this.gap.firstChild, { dark, onpick: pick });
    this.unwatch = watchDark(host, (now) => {
      for (const view of [this.scene, ...this.plots, this.twins]) if (view) view.dark = now;
      this.draw();
    });
  }

  /** A picture: points, colour, series, time (in the system's unit) and, of twins, the other's points and the distance. */
  show(picture, view, measured, fixed) {
    Object.assign(this, { picture, view, measured, fixed });
    this.draw();
  }

  /** What was measured is known now: the twins' distance is drawn beside it, and fixed points in the attractor. */
  learn(measured, fixed) {
    const found = fixed !== this.fixed;
    Object.assign(this, { measured, fixed });
    if (this.picture?.distance || (this.picture && found)) this.draw();
  }

  /** Fixed points of what is in view as marks of the scene: full where stable. */
  marks() {
    const { fixed, view, recipe, frame } = this, { tints } = palette(this.twins.dark);
    if (!isFixedOf(fixed, view)) return [];
    const numbers = view.axes.map((name) => recipe.choices.indexOf(name));
    const places = fixed.points.map(({ at }) => numbers.map((k, axis) => {
      const [low, high] = frame[axis];
      return ((at[k] ?? NaN) - recipe.centre[k]) / recipe.scale[k] / ((high - low) / 2 || 1) - (low + high) / (high - low || 1);
    }));
    return places.map(([x, y, z = 0], k) => ({ point: [x, y, z], tint: fixed.points[k].stable ? tints[2] : tints[1], hollow: !fixed.points[k].stable }));
  }

  draw() {
    const { picture, view, recipe } = this;
    if (!picture) return;
    const { tints } = palette(this.twins.dark);
    const dots = recipe.kind === "map";
    const { axes } = view;
    if (this.axes !== axes.join()) this.frame = axes.map(() => [-1, 1]);
    this.axes = axes.join();
    this.fit([picture.points, picture.twin ?? []], picture.exact);
    const tracks = [{ points: this.placed(picture.points), colour: picture.twin ? null : picture.colour, tint: tints[0], dots }];
    if (dots) tracks[0].distinct = distinct(picture.points);
    if (picture.twin) tracks.push({ points: this.placed(picture.twin), colour: null, tint: tints[1], dots });
    if (this.scene) {
      this.scene.flat = view.axes.length < 3;
      this.scene.labels = view.axes.map((name) => recipe.labels[name] ?? name);
      this.scene.ranges = axes.map((name, k) => this.range(name, k));
      this.scene.setTracks(tracks);
      this.scene.marks = this.marks();
    }
    const [x, xlabel] = this.clock(picture.time);
    const xrange = [x[0] ?? 0, (x[0] ?? 0) + Math.min(WINDOW[recipe.kind], Math.max(1, (x.at(-1) ?? 1) - (x[0] ?? 0)))];
    this.plots.forEach((plot, k) => {
      this.strips[k].hidden = k >= axes.length;
      if (k >= axes.length) return;
      plot.axis = k === axes.length - 1; // the last one has the numbers below
      this.strips[k].classList.toggle("cl-last", plot.axis);
      const label = view.axes[k];
      plot.set({ x, lines: [{ y: picture.series[k] ?? [], tint: tints[0], label }], xlabel, ylabel: recipe.labels[label] ?? label, xrange, title: "" });
    });
    this.explain(picture);
    this.gap.hidden = !picture.distance;
    if (picture.distance) this.apart(x, xlabel, tints);
  }

  /** What the colours are. */
  explain({ twin, coloured, range }) {
    const { tints } = palette(this.twins.dark);
    const patch = (background) => make("i", { style: `background: ${background}` });
    if (twin) {
      this.legend.replaceChildren(patch(tints[0]), "one", patch(tints[1]), "its twin");
      return;
    }
    const words = { speed: "speed (sizes of the motion a period)", exponent: "local exponent" };
    const ends = range.map((value) => short(value, 3));
    const [low, high] = coloured === "time" ? ["early", "late"] : [`${words[coloured]} ${ends[0]}`, ends[1]];
    this.legend.replaceChildren(low, patch(gradient(this.twins.dark)), high);
  }

  /** Times since the first sample, in periods, or iterations. */
  clock(time) {
    const unit = this.recipe.kind === "map" ? 1 : this.recipe.period;
    return [time.map((t) => (t - time[0]) / unit), this.recipe.kind === "map" ? "iteration" : "time (periods)"];
  }

  /** Let the frame, in parts of the one of the default orbit, hold all points; closely, once all is at rest. */
  fit(tracks, rest) {
    this.frame = this.frame.map(([low, high], axis) => {
      let [least, most] = [Infinity, -Infinity];
      for (const points of tracks) {
        for (let k = axis; k < points.length; k += 3) {
          if (points[k] < least) least = points[k];
          if (points[k] > most) most = points[k];
        }
      }
      if (!(least <= most)) return [low, high];
      const [middle, half] = [(low + high) / 2, (OUTSIDE * (high - low)) / 2];
      const outside = least < middle - half || most > middle + half;
      const small = rest && most - least < SMALL * (high - low) && most - least > 1e-3;
      return outside ? [Math.min(low, least), Math.max(high, most)] : small ? [least, most] : [low, high];
    });
  }

  /** Points in the cube that the frame fills. */
  placed(points) {
    if (this.frame.every(([low, high]) => low === -1 && high === 1)) return points;
    const moved = new Float32Array(points.length);
    this.frame.forEach(([low, high], axis) => {
      const [middle, half] = [(low + high) / 2, (high - low) / 2 || 1];
      for (let k = axis; k < points.length; k += 3) moved[k] = (points[k] - middle) / half;
    });
    return moved;
  }

  /** True values at the ends of an axis. */
  range(name, axis) {
    const k = this.recipe.choices.indexOf(name);
    return this.frame[axis].map((place) => this.recipe.centre[k] + place * this.recipe.scale[k]);
  }

  /** The distance of the twins, beside what the largest exponent says of it. */
  apart(x, xlabel, tints) {
    const { distance } = this.picture;
    const marks = [];
    const known = isOf(this.measured, this.view); // else it is that of another motion
    const rate = ((known && this.measured.largest_exponent) || 0) * (this.recipe.kind === "map" ? 1 : this.recipe.period);
    if (rate > 0 && distance[0] > 0) {
      const until = Math.min(x[distance.length - 1], Math.log(1 / distance[0]) / rate);
      marks.push({ line: { from: [0, distance[0]], to: [until, distance[0] * Math.exp(rate * until)] }, label: "largest exponent", tint: tints[3] });
    }
    const title = `Distance of the twins, in sizes of the motion${marks.length ? "; dashed: as the largest exponent has it" : ""}`;
    const near = distance.findIndex((d) => d > 0.3); // once they are far apart there is nothing more to see
    const end = near < 0 ? x[distance.length - 1] : Math.min(x[distance.length - 1], 2 * x[near]);
    this.twins.set({ x: x.subarray(0, distance.length), lines: [{ y: distance, tint: tints[1] }], log: true, title, xlabel, xrange: [0, Math.max(end, 1e-6)], marks });
  }

  /** The comet's head is here: show where that is in time. */
  point(head) {
    const x = this.plots[0].content.x;
    const at = x[Math.min(x.length - 1, Math.floor(head))];
    if (at === undefined) return;
    for (const plot of [...this.plots, this.twins]) {
      const [low, high] = plot.content.xrange ?? [0, 0];
      if (plot !== this.twins && !(at >= low && at <= high)) plot.set({ ...plot.content, xrange: [at, at + high - low] });
      plot.cursor(at);
    }
  }

  /** A time was pointed at: put the comet there. */
  pick(x) {
    const times = this.plots[0].content.x;
    const place = times.findIndex((t) => t >= x);
    if (this.scene && place >= 0) this.scene.head = place;
  }

  /** The comet runs, at `speed` periods or iterations a second, or is gone. */
  play(on, view) {
    if (!this.scene) return;
    if (on) return this.scene.play(view.speed * (this.recipe.kind === "map" ? 1 : view.samples));
    this.scene.stop();
    for (const plot of [...this.plots, this.twins]) plot.cursor(null);
  }

  /** Save the picture as a file, "png" or "svg". */
  async save(kind) {
    if (!this.scene) return;
    download(`${this.recipe.name || "system"}.${kind}`, kind === "png" ? await png(this.scene) : svg(this.scene));
  }

  dispose() {
    this.unwatch();
    this.scene?.dispose();
    for (const plot of [...this.plots, this.twins]) plot.dispose();
  }
}

/** How many different points there are, up to `most`: few must be drawn large to be seen. */
function distinct(points, most = 1000) {
  const seen = new Set();
  for (let k = 0; k + 2 < points.length && seen.size < most; k += 3) {
    seen.add([points[k], points[k + 1], points[k + 2]].map((value) => Math.round(1e4 * value)).join());
  }
  return seen.size < most ? seen.size : undefined;
}
