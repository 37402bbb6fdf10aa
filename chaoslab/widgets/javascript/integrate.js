// What the page computes while a slider moves: the same equations as the kernel's, by the classical Runge-Kutta method.

/** Errors of one sample, in sizes of the motion, beyond which steps are halved; steps a sample at most. */
const TOLERATED = 1e-4;
const MOST = 64;
/** Samples between two looks at the error, and between two looks at the clock. */
const LOOK = 16;
/** A state so many times larger than at the start has left for good (the kernel's bound). */
const ESCAPED = 1e12;
/** A sample that cannot be stepped, and leads so many sizes away in so many steps, is the end of a motion that blows up. */
const AWAY = 100;
const FINEST = 4096;

const compiled = new Map();

/** The function that a text such as `(s, p, t, out) => { ... }` stands for; null for null. */
export function compile(text) {
  if (!text) return null;
  if (!compiled.has(text)) {
    if (compiled.size > 100) compiled.clear();
    compiled.set(text, new Function(`"use strict"; return (${text});`)());
  }
  return compiled.get(text);
}

/** A stepper: `advance(state, t, h, steps, out)` puts the state `steps` steps of `h` later into `out`. */
function stepper(rhs, parameters, n) {
  const [k1, k2, k3, k4, y] = Array.from({ length: 5 }, () => new Float64Array(n));
  return (state, t, h, steps, out) => {
    if (out !== state) out.set(state);
    const half = h / 2;
    for (let step = 0; step < steps; step++) {
      const now = t + step * h;
      rhs(out, parameters, now, k1);
      for (let i = 0; i < n; i++) y[i] = out[i] + half * k1[i];
      rhs(y, parameters, now + half, k2);
      for (let i = 0; i < n; i++) y[i] = out[i] + half * k2[i];
      rhs(y, parameters, now + half, k3);
      for (let i = 0; i < n; i++) y[i] = out[i] + h * k3[i];
      rhs(y, parameters, now + h, k4);
      for (let i = 0; i < n; i++) out[i] += (h / 6) * (k1[i] + 2 * (k2[i] + k3[i]) + k4[i]);
    }
  };
}

/** Whether every entry is a number below the bound. */
function lies(state, bound) {
  for (let i = 0; i < state.length; i++) if (!(Math.abs(state[i]) < bound)) return false;
  return true;
}

function boundOf(state) {
  let size = 1;
  for (const value of state) size = Math.max(size, Math.abs(value));
  return ESCAPED * size;
}

/** The difference of two states in sizes of the motion; without sizes, in those of the states. */
function apart(one, other, sizes) {
  let most = 0;
  for (let i = 0; i < one.length; i++) {
    const size = sizes ? sizes[i] : Math.max(1e-9, Math.abs(one[i]));
    const error = Math.abs(one[i] - other[i]) / size;
    if (!(error <= most)) most = error; // NaN counts as large
  }
  return most;
}

/**
 * A flow's states at `count` evenly spaced samples, after `transient` of them.
 *
 * `start` is the time of the first sample, `step` the time between two, both in the system's unit; `sizes` how large the motion
 * is in each component (the recipe's `state_sizes`). Now and then a sample is made a second time in steps half as long; where the
 * two differ, steps are halved from there on. Gives {states (sample after sample), count of good ones, status, ended, substeps}:
 * status is "ok"; "escaped", at the time `ended`; "steep" where even 64 steps a sample are too long; "slow" where `budget`
 * milliseconds were over.
 */
export function flow(rhs, { state, parameters, start = 0, step, count, transient = 0, substeps = 1, budget = Infinity, sizes = null }) {
  const n = state.length;
  const states = new Float64Array(count * n);
  const [now, next, twice] = [Float64Array.from(state), new Float64Array(n), new Float64Array(n)];
  const advance = stepper(rhs, Float64Array.from(parameters), n);
  const [bound, begun] = [boundOf(now), performance.now()];
  const made = (status, good, ended = null) => ({ states, count: Math.max(0, good), status, ended, substeps });
  const first = -Math.round(transient);
  for (let k = first; k < count; k++) {
    if (k >= 0) states.set(now, k * n);
    if (k === count - 1) break;
    const t = start + k * step;
    advance(now, t, step / substeps, substeps, next);
    if ((k - first) % LOOK === 0 || !lies(next, bound)) {
      for (;;) {
        advance(now, t, step / (2 * substeps), 2 * substeps, twice);
        if (apart(next, twice, sizes) <= TOLERATED) break;
        if (2 * substeps > MOST) {
          advance(now, t, step / FINEST, FINEST, twice); // a decay too fast for long steps blows up too, but not in short ones
          const away = !lies(twice, bound) || apart(twice, now, sizes) > AWAY;
          return away ? made("escaped", k + 1, t + step) : made("steep", k + 1, t);
        }
        substeps *= 2;
        next.set(twice);
      }
      if (performance.now() - begun > budget) return made("slow", k + 1, t);
    }
    if (!lies(next, bound)) return made("escaped", k + 1, t + step);
    now.set(next);
  }
  return made("ok", count);
}

/** A map's iterates, `count` after `transient` of them; `start` is the number of the first. Gives what `flow` gives. */
export function iterate(map, { state, parameters, start = 0, count, transient = 0, budget = Infinity }) {
  const n = state.length;
  const states = new Float64Array(count * n);
  let [now, next] = [Float64Array.from(state), new Float64Array(n)];
  const p = Float64Array.from(parameters);
  const [bound, begun] = [boundOf(now), performance.now()];
  const made = (status, good, ended = null) => ({ states, count: Math.max(0, good), status, ended, substeps: 1 });
  for (let k = -Math.round(transient); k < count; k++) {
    if (k >= 0) states.set(now, k * n);
    if (k === count - 1) break;
    map(now, p, start + k, next);
    if (!lies(next, bound)) return made("escaped", k + 1, start + k + 1);
    [now, next] = [next, now];
    if ((k & 1023) === 0 && performance.now() - begun > budget) return made("slow", k + 1, start + k);
  }
  return made("ok", count);
}

/** Runge-Kutta steps between two samples, of which there are so many a period; of a map one. */
export function stepsOf(recipe, samples) {
  const wanted = Math.ceil(((recipe.substeps ?? 1) * recipe.samples) / samples);
  return recipe.kind === "map" ? 1 : Math.min(MOST, Math.max(1, wanted));
}

/**
 * The run that a view asks for, of a recipe's system; `values` are its parameters in a flat list, `state` a list. One that
 * escapes before its first sample is made again without transient, so that there is something to see.
 */
export function run(recipe, { values, state, periods, samples, transient, budget = Infinity, substeps = null }) {
  const common = { state, parameters: values, start: recipe.start, budget, count: Math.max(1, Math.round(periods * samples)) };
  const [rhs, map] = [compile(recipe.rhs), recipe.kind === "map"];
  const options = { step: recipe.period / samples, substeps: substeps ?? stepsOf(recipe, samples), sizes: recipe.state_sizes };
  const once = (before) =>
    map ? iterate(rhs, { ...common, transient: before }) : flow(rhs, { ...common, ...options, transient: before * samples });
  const made = once(transient);
  return made.status === "escaped" && made.count === 0 && transient > 0 ? once(0) : made;
}
