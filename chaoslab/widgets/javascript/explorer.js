// The explorer: the page integrates while a slider moves; when it rests the kernel's exact solution takes the picture's place.

import { run, stepsOf } from "./integrate.js";
import { colours, distances, shown, speed, twin } from "./shown.js";
import { make } from "./controls.js";
import { Panel } from "./panel.js";
import { Views } from "./views.js";

/** Milliseconds without a move after which a slider rests, and that the page may compute for one picture. */
const REST = 60;
const BUDGET = 25;
/** Milliseconds after which a kernel that has not answered counts as gone. */
const PATIENCE = 8000;

/** What a widget manager calls: draw `model` into `el`; gives what clears it away. */
export function render({ model, el }) {
  const explorer = new Explorer(model, el);
  return () => explorer.dispose();
}

export default { render };

/** One explorer in one place of a page. */
export class Explorer {
  constructor(model, el) {
    this.model = model;
    this.root = make("div", { class: "cl-explorer", role: "region", "aria-label": "explorer of a chaotic system" });
    el.append(this.root);
    this.asked = 0; // number of the last question to the kernel
    this.busy = false; // a question is under way
    this.again = false; // and another is to follow
    this.events = {
      "change:recipe": () => this.build(),
      "change:view": () => this.follow(),
      "change:measured": () => this.learn(),
      "change:fixed": () => this.learn(),
      "msg:custom": (message, buffers) => this.hear(message, buffers),
    };
    for (const [event, call] of Object.entries(this.events)) model.on(event, call);
    this.build();
  }

  /** Make everything anew for the system in hand. */
  build() {
    this.clear();
    this.recipe = this.model.get("recipe");
    this.view = structuredClone(this.model.get("view"));
    this.steps = this.recipe.kernel_only === null; // whether the page integrates it
    this.views = new Views(this.recipe, this.root);
    this.panel = new Panel(this.recipe, this.view, this.model.get("names"), {
      move: () => this.move(),
      open: (name) => this.tell({ kind: "open", name }),
      play: (on) => this.views.play(on, this.view),
      save: (kind) => this.views.save(kind),
    });
    const middle = make("div", { class: "cl-middle" }, this.views.element, this.panel.element);
    this.root.replaceChildren(this.panel.head, middle, this.views.lower, this.panel.foot);
    if (this.steps) this.integrate();
    this.learn();
    this.rest();
  }

  /** The view was set from Python. */
  follow() {
    const given = this.model.get("view");
    if (JSON.stringify(given) === JSON.stringify(this.view)) return;
    Object.assign(this.view, structuredClone(given));
    this.panel.follow();
    this.move();
  }

  /** The kernel has measured what is in view. */
  learn() {
    const found = this.model.get("measured");
    this.panel.measured(found);
    this.panel.fixed(this.model.get("fixed"));
    this.views.learn(found, this.model.get("fixed"));
  }

  /** Something moved: a picture at the next frame, the exact one once all rests. */
  move() {
    this.panel.stale();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), REST);
    if (!this.steps) this.ask();
    else
      this.frame ??= requestAnimationFrame(() => {
        this.frame = null;
        this.integrate();
      });
  }

  /** All rests: tell Python where, and have the kernel confirm. */
  rest() {
    this.model.set("view", structuredClone(this.view));
    this.tell();
    this.ask();
  }

  /** Send the view, or a message, to the kernel; false where there is none any more. */
  tell(message) {
    try {
      if (message) this.model.send(message);
      else this.model.save_changes();
      return true;
    } catch (error) {
      this.alone(error);
      return false;
    }
  }

  /** No kernel answers: what the page can do goes on. */
  alone(error) {
    clearTimeout(this.patience);
    this.busy = false;
    const why = error ? ` (${error.message})` : "";
    this.panel.say(`no answer from the kernel${why}`, this.steps ? "integrated in the page" : "run the cell again");
  }

  /** Ask the kernel for this view, one question at a time; the latest counts. */
  ask() {
    this.again = this.busy;
    if (this.busy) return;
    this.busy = true;
    this.asked += 1;
    this.question = JSON.stringify(this.view);
    if (!this.tell({ kind: "look", id: this.asked, view: this.view })) return;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.alone(), PATIENCE);
  }

  /** What the kernel says. */
  hear(message, buffers) {
    if (message.kind === "complaint") this.panel.complain(message.text);
    if (message.id !== this.asked) return;
    clearTimeout(this.patience);
    this.busy = false;
    const old = this.question !== JSON.stringify(this.view);
    // While the page follows the hand, an old picture would jump.
    if (message.kind === "exact" && !(old && this.steps)) this.exact(message, buffers);
    if (this.again || old) this.ask();
  }

  exact(message, buffers) {
    const picture = { exact: true, coloured: message.coloured, range: message.range };
    message.arrays.forEach(([key, width], k) => {
      const { buffer, byteOffset, byteLength } = buffers[k];
      const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
      picture[key] = width > 1 ? split(values, width) : values;
    });
    this.draw(picture, "exact", message.what, message.status);
  }

  /** Integrate in the page, and draw. */
  integrate() {
    const { recipe, view } = this;
    let [first, options] = this.follows(this.start(), view.transient);
    if (view.twins && first.substeps > stepsOf(recipe, view.samples)) {
      // both in the same steps all along, or their errors would part them
      [first, options] = this.follows(this.start(), view.transient, first.substeps);
    }
    if (first.status === "steep") {
      this.panel.say("the exact picture follows", "too steep for the page's steps");
      return;
    }
    const picture = this.picture(first, options);
    if (view.twins && first.count > 1) {
      const n = recipe.components.length;
      const [other] = this.follows(twin(first.states.subarray(0, n), recipe, view.twins), 0, first.substeps);
      const count = Math.min(first.count, other.count);
      picture.twin = shown(other.states, n, recipe, view.axes, { ...options, count: other.count }).points;
      picture.distance = distances(first.states, other.states, n, recipe, { ...options, count });
    }
    const escaped = first.status === "escaped" ? `it escapes at t = ${Number(first.ended.toPrecision(4))}` : "";
    this.draw(picture, "page", recipe.kind === "map" ? "iterated in the page" : "integrated in the page (Runge-Kutta 4)", escaped);
  }

  /** The run from a state with the parameters in view, and how what is observed of it is read. */
  follows(state, transient, substeps = null) {
    const { recipe, view } = this;
    const values = recipe.values.slice();
    for (const { name, index, array } of recipe.parameters) if (!array) values[index[0]] = view.parameters[name];
    const found = run(recipe, { values, state, periods: view.periods, samples: view.samples, transient, substeps, budget: BUDGET });
    const step = recipe.period / view.samples;
    return [found, { parameters: values, start: recipe.start, step, count: found.count, samples: view.samples }];
  }

  start() {
    return this.recipe.components.map((name, k) => this.view.state[name] ?? this.recipe.initial[k]);
  }

  /** What is drawn of a run. */
  picture({ states, count }, options) {
    const { recipe, view } = this;
    const n = recipe.components.length;
    const { points, series } = shown(states, n, recipe, view.axes, options);
    const time = Float32Array.from({ length: count }, (_, k) => recipe.start + k * options.step);
    const coloured = view.colour === "speed" ? "speed" : "time"; // local exponents are the kernel's
    const { colour, range } = colours(coloured === "speed" ? speed(states, n, recipe, options) : time);
    return { points, series, time, colour, coloured, range };
  }

  draw(picture, by, what, status) {
    this.views.show(picture, this.view, this.model.get("measured"), this.model.get("fixed"));
    this.panel.say(what, status);
    this.root.dataset.shown = by;
    this.root.dataset.picture = Number(this.root.dataset.picture ?? 0) + 1;
  }

  clear() {
    clearTimeout(this.timer);
    clearTimeout(this.patience);
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = null;
    this.busy = this.again = false;
    this.views?.dispose();
  }

  dispose() {
    this.clear();
    for (const [event, call] of Object.entries(this.events)) this.model.off(event, call);
  }
}

/** An array cut into `parts` equal ones. */
function split(values, parts) {
  const each = values.length / parts;
  return Array.from({ length: parts }, (_, k) => values.subarray(k * each, (k + 1) * each));
}
