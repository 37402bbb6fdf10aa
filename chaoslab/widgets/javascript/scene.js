// A trajectory in state space that turns, zooms and flows. Nothing is drawn while nothing changes.

import { frame, paint } from "./axes.js";
import { HOME, flatArea, matrix, pixel } from "./camera.js";
import { palette, ramp, rgb } from "./colours.js";
import { describe, follow } from "./hand.js";
import { Ribbons } from "./ribbons.js";

const REST = 0.2; // how strong the whole stays while a comet runs
const TRAIL = 2.5; // seconds that a comet's trail lasts
const CALM = 150; // milliseconds without motion, after which the picture is drawn in full
const ROUGH = 1; // pixels of the screen by which the edges of a moving line may cut corners

/** One WebGL canvas inside an element of its own, which it fills; below it a second one with the box, numbers and names. */
export class Scene {
  /** @param canvas its parent gives the size @param options {dark: on a dark ground, title: for screen readers and exports} */
  constructor(canvas, { dark = false, title = "" } = {}) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { antialias: false, depth: false, alpha: true, powerPreference: "low-power" });
    if (!this.gl) throw new Error("this browser shows no WebGL 2, which the turning picture needs; plots and stills do without");
    /** How many frames were really drawn. */
    this.frames = 0;
    /** Called with the head's place, a number of points, whenever the comet moves. */
    this.onhead = null;
    this.tracks = [];
    /** Places that are marked: [{point: [x, y, z], tint: "#rrggbb", hollow}]. */
    this.marks = [];
    this.state = { dark, title, flat: false, labels: ["x", "y", "z"], ranges: null, camera: { ...HOME } };
    this.comet = { running: false, shown: false, head: 0, speed: 0, last: null };
    this.request = null;
    this.moved = -1e9;
    this.place();
    this.endFollowing = follow(this);
    this.start();
  }

  /** Lays the canvases out and watches their size, sight and graphics context. */
  place() {
    const { canvas } = this, home = canvas.parentElement ?? document.createElement("div");
    if (canvas.parentElement === null) home.append(canvas);
    this.element = home;
    if (getComputedStyle(home).position === "static") home.style.position = "relative";
    this.under = document.createElement("canvas");
    this.under.setAttribute("aria-hidden", "true");
    canvas.before(this.under);
    const fill = { position: "absolute", inset: "0", width: "100%", height: "100%", display: "block" };
    Object.assign(this.under.style, fill);
    Object.assign(canvas.style, fill, { touchAction: "none", cursor: "grab", outlineOffset: "-2px" });
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
    this.sizes = new ResizeObserver(() => this.measure());
    this.sizes.observe(home);
    this.sight = new IntersectionObserver((entries) => {
      this.seen = entries[entries.length - 1].isIntersecting;
      if (this.seen) this.invalidate();
    });
    this.seen = true;
    this.sight.observe(home);
    this.lost = (event) => {
      event.preventDefault(); // else the browser would never give it back
      this.ribbons = null;
    };
    this.found = () => this.start();
    canvas.addEventListener("webglcontextlost", this.lost);
    canvas.addEventListener("webglcontextrestored", this.found);
    this.measure();
  }

  start() {
    this.ribbons = new Ribbons(this.gl);
    this.load();
    this.describe();
    this.invalidate();
  }

  /** Fits the pixels of both canvases to their place in the page. */
  measure() {
    const { clientWidth, clientHeight } = this.element, density = Math.min(window.devicePixelRatio || 1, 3);
    this.width = Math.max(1, clientWidth);
    this.height = Math.max(1, clientHeight);
    const [w, h] = [Math.round(this.width * density), Math.round(this.height * density)];
    if (this.density === density && this.canvas.width === w && this.canvas.height === h) return;
    this.density = density;
    for (const canvas of [this.canvas, this.under]) Object.assign(canvas, { width: w, height: h });
    this.invalidate();
  }

  /** Shows tracks [{points: 3 x count in the unit cube, colour: count in [0, 1] or null, tint: "#rrggbb", dots: whether a map,
   * distinct: how many different dots there are, if few}]. */
  setTracks(tracks) {
    this.tracks = tracks;
    this.comet.head = Math.min(this.comet.head, Math.max(0, this.count - 1));
    this.load();
    this.invalidate(true);
  }

  /** Hands the tracks to the graphics card, in the colours of the theme. */
  load() {
    const { tints } = palette(this.dark);
    const painted = this.tracks.map((track, place) => ({ ...track, paint: rgb(track.tint ?? tints[place % tints.length]) }));
    this.ribbons?.setTracks(painted, ramp(this.dark));
  }

  /** How many points the longest track has. */
  get count() {
    return Math.max(0, ...this.tracks.map(({ points }) => Math.floor(points.length / 3)));
  }

  get camera() { return this.state.camera; }
  get flat() { return this.state.flat; }
  get labels() { return this.state.labels; }
  get ranges() { return this.state.ranges; }
  get dark() { return this.state.dark; }
  get title() { return this.state.title; }
  /** {azimuth, elevation: degrees; distance, panX, panY: in half-sides of the cube}. */
  set camera(camera) { this.change({ camera: { ...this.state.camera, ...camera } }); }
  /** Two axes: seen from above, not turned. */
  set flat(flat) { this.change({ flat }); }
  /** The names of the axes. */
  set labels(labels) { this.change({ labels }); }
  /** The true values at the ends of each axis, [[low, high], ...], for its numbers; null for none. */
  set ranges(ranges) { this.change({ ranges }); }
  set title(title) { this.change({ title }); }
  set dark(dark) {
    if (dark === this.dark) return;
    this.change({ dark });
    this.load();
  }

  change(what) {
    const same = Object.entries(what).every(([key, value]) => JSON.stringify(this.state[key]) === JSON.stringify(value));
    if (same) return;
    Object.assign(this.state, what);
    if (!("camera" in what)) this.describe();
    this.invalidate("camera" in what);
  }

  describe() {
    this.canvas.setAttribute("aria-label", describe(this.title, this.flat ? this.labels.slice(0, 2) : this.labels, this.flat));
  }

  /** The camera back where it stood at first. */
  reset() {
    this.camera = { ...HOME };
  }

  /** Cube units that one CSS pixel covers in the middle of the picture: {x, y}. */
  pixel() {
    return pixel(this.camera, this.width, this.height, this.flat);
  }

  /** The place in CSS pixels towards which the camera moves. */
  middle() {
    const { left, top, width, height } = flatArea(this.width, this.height);
    return this.flat ? { x: left + width / 2, y: top + height / 2 } : { x: this.width / 2, y: this.height / 2 };
  }

  /** Lets a comet run along the tracks. */
  play(speedInPointsPerSecond) {
    Object.assign(this.comet, { running: true, shown: true, speed: speedInPointsPerSecond, last: null });
    this.invalidate();
  }

  /** Halts the comet where it is. */
  pause() {
    this.comet.running = false;
    this.invalidate();
  }

  /** Takes the comet away: the whole is shown again. */
  stop() {
    Object.assign(this.comet, { running: false, shown: false, head: 0 });
    this.invalidate();
  }

  get playing() { return this.comet.running; }
  /** Where the comet's head is, a number of points; null without a comet. */
  get head() { return this.comet.shown ? this.comet.head : null; }
  set head(head) {
    Object.assign(this.comet, { shown: true, head: Math.max(0, Math.min(head, this.count - 1)) });
    this.onhead?.(this.comet.head);
    this.invalidate();
  }

  /** Asks for one frame, soon. */
  invalidate(moving = false) {
    if (moving) this.moved = performance.now();
    this.request ??= requestAnimationFrame((now) => {
      this.request = null;
      if (!this.seen) return (this.comet.last = null);
      this.advance(now);
      this.draw();
      if (this.comet.running) this.invalidate();
    });
  }

  advance(now) {
    const { comet } = this, last = this.count - 1;
    if (!comet.running || last < 1) return;
    const passed = comet.last === null ? 0 : Math.min(0.1, (now - comet.last) / 1000); // no leap after a hidden tab
    comet.last = now;
    comet.head = (comet.head + passed * comet.speed) % last;
    if (passed > 0) this.onhead?.(comet.head);
  }

  /** Draws now; `fine` leaves nothing out, as is done when the picture rests. */
  draw(fine = !this.comet.running && performance.now() - this.moved > CALM) {
    const { gl, ribbons, canvas, camera, flat, width, height, density } = this;
    if (!ribbons || gl.isContextLost()) return;
    this.frames++;
    clearTimeout(this.settling);
    if (!fine && !this.comet.running) this.settling = setTimeout(() => this.invalidate(), CALM + 20);
    const context = this.under.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, frame(this), palette(this.dark));

    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (flat) {
      const area = flatArea(width, height);
      gl.enable(gl.SCISSOR_TEST);
      const corner = [area.left, height - area.top - area.height, area.width, area.height];
      gl.scissor(...corner.map((size) => Math.round(size * density)));
    }
    const shared = { projection: matrix(camera, width, height, flat), size: [canvas.width, canvas.height] };
    shared.depth = flat ? [1e6, 1] : [camera.distance - 1.3, 2.6];
    shared.error = fine ? 0 : ROUGH * this.pixel().x / density;
    this.tracks.forEach((track, place) => this.drawTrack(track, place, shared));
    for (const mark of this.marks) this.drawMark(mark, shared);
  }

  /** A disc with a rim of the ground around it, a ring where it is hollow. */
  drawMark({ point, tint, hollow }, { error, ...shared }) {
    if (!point.every(Number.isFinite)) return;
    const { ground } = palette(this.dark), discs = [[13, ground], [11, tint], ...(hollow ? [[6, ground]] : [])];
    for (const [width, colour] of discs) this.ribbons.mark(point, { ...shared, width: width * this.density, tint: rgb(colour) });
  }

  drawTrack(track, place, { error, ...shared }) {
    const { ribbons, comet, density } = this, count = Math.floor(track.points.length / 3);
    const width = density * thickness(track.distinct ?? count, track.dots), pace = error > 0 ? ribbons.pace(place, error) : 0.5;
    const whole = { ...shared, width, pace, opacity: 0.8 };
    if (!comet.shown || count === 0) return ribbons.draw(place, whole);
    const head = Math.min(comet.head, count - 1);
    const length = Math.max(track.dots ? 12 : 40, Math.min(TRAIL * comet.speed || count / 40, count / 3));
    ribbons.draw(place, { ...whole, comet: { head, length, rest: REST } });
    const wide = track.dots ? width : Math.max(2 * width, 2 * density), glow = track.colour ? rgb(palette(this.dark).head) : null;
    ribbons.draw(place, { ...shared, width: wide, glow, grow: 3, comet: { head, length, rest: 1, lit: true } });
    const point = between(track.points, head, track.dots), { ground, head: ink, tints } = palette(this.dark);
    if (!point.every(Number.isFinite)) return;
    const tint = track.colour ? ink : track.tint ?? tints[place % tints.length];
    ribbons.mark(point, { ...shared, width: 11 * density, tint: rgb(ground) });
    ribbons.mark(point, { ...shared, width: 7 * density, tint: rgb(tint) });
  }

  /** Frees the graphics memory; the canvas cannot be used again. */
  dispose() {
    this.pause();
    cancelAnimationFrame(this.request);
    clearTimeout(this.settling);
    this.endFollowing();
    this.sizes.disconnect();
    this.sight.disconnect();
    this.canvas.removeEventListener("webglcontextlost", this.lost);
    this.canvas.removeEventListener("webglcontextrestored", this.found);
    this.ribbons?.dispose();
    this.ribbons = null;
    this.under.remove();
    this.gl.getExtension("WEBGL_lose_context")?.loseContext(); // a page may hold only about sixteen
  }
}

/** CSS pixels of a line or dot: finer where there are many. */
export function thickness(count, dots) {
  const many = Math.log10(Math.max(10, count));
  return dots ? Math.min(5.5, Math.max(1.1, 6.2 - 1.15 * many)) : Math.min(1.9, Math.max(0.9, 3.1 - 0.5 * many));
}

/** The point at a place between two samples; of a map, the sample before. */
function between(points, place, dots) {
  const left = 3 * Math.floor(place), right = Math.min(left + 3, points.length - 3), share = dots ? 0 : place % 1;
  return [0, 1, 2].map((j) => points[left + j] * (1 - share) + points[right + j] * share);
}
