// From states to what is seen of them: points in the cube that the picture fills, speeds, colours, the distance of twins.
// The kernel does the same in chaoslab/widgets/axes.py and exact.py.

import { compile } from "./integrate.js";

/** Parts of the values below and above which colours do not change: a burst must not take all colours for itself. */
const ENDS = [0.02, 0.98];

/** What the definition observes of states, sample after sample; the states themselves where it says nothing. */
export function observed(states, n, recipe, { parameters = recipe.values, start = recipe.start, step = 0, count = states.length / n } = {}) {
  const observe = compile(recipe.observe);
  if (!observe) return states;
  const seen = new Float64Array(count * n);
  const [state, out, p] = [new Float64Array(n), new Float64Array(n), Float64Array.from(parameters)];
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < n; i++) state[i] = states[k * n + i];
    observe(state, p, start + k * step, out);
    seen.set(out, k * n);
  }
  return seen;
}

/** The values along axes, one Float32Array each: components as they are observed, their past, principal components, or time. */
export function series(states, n, recipe, axes, options = {}) {
  const count = options.count ?? states.length / n;
  const seen = options.seen ?? observed(states, n, recipe, { ...options, count });
  const places = axes.map((word) => placeOf(recipe, word));
  const back = places.map((place) => (place.back ?? 0) * recipe.lag);
  const first = Math.min(Math.max(0, ...back), count - 1); // before it there is nothing to look back at
  return places.map((place, axis) => {
    const values = new Float32Array(count);
    for (let k = 0; k < count; k++) {
      const at = Math.max(k, first);
      if (place.row !== undefined) values[k] = component(seen, at * n, n, recipe.basis, place.row);
      else if (place.time) values[k] = at / (options.samples ?? recipe.samples);
      else values[k] = seen[Math.max(0, at - back[axis]) * n + place.component];
    }
    return values;
  });
}

function placeOf(recipe, word) {
  const place = recipe.places[word];
  if (!place) throw new Error(`${recipe.label} has no axis ${word}; it has ${recipe.choices.join(", ")}`);
  return place;
}

function component(seen, from, n, basis, row) {
  const weights = basis.rows[row];
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weights[i] * (seen[from + i] - basis.mean[i]);
  return sum;
}

/** Points of the picture: {points: Float32Array(3*count) in the cube [-1, 1], series: values along the axes}. */
export function shown(states, n, recipe, axes, options = {}) {
  const count = options.count ?? states.length / n;
  const values = series(states, n, recipe, axes, { ...options, count });
  const points = new Float32Array(3 * count);
  values.forEach((row, axis) => {
    const number = recipe.choices.indexOf(axes[axis]);
    const [centre, scale] = [recipe.centre[number], recipe.scale[number]];
    for (let k = 0; k < count; k++) points[3 * k + axis] = (row[k] - centre) / scale;
  });
  return { points, series: values };
}

/** How fast the observed motion is at each sample, in sizes of the motion a period: Float32Array(count). */
export function speed(states, n, recipe, options = {}) {
  const count = options.count ?? states.length / n;
  const seen = options.seen ?? observed(states, n, recipe, { ...options, count });
  const values = new Float32Array(count);
  const samples = options.samples ?? recipe.samples;
  for (let k = 0; k < count; k++) {
    const [before, after] = [Math.max(0, k - 1), Math.min(count - 1, k + 1)];
    let sum = 0;
    for (let i = 0; i < n; i++) {
      if (recipe.clocks[i]) continue;
      const moved = (seen[after * n + i] - seen[before * n + i]) / recipe.sizes[i];
      sum += moved * moved;
    }
    values[k] = (Math.sqrt(sum) * samples) / Math.max(1, after - before);
  }
  return values;
}

/** Values as colours from 0 to 1, and the two values that are 0 and 1: {colour, range}. */
export function colours(values) {
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort();
  const at = (part) => sorted[Math.round(part * (sorted.length - 1))] ?? 0;
  const [low, high] = ENDS.map(at);
  const colour = new Float32Array(values.length);
  const width = high - low || 1;
  for (let k = 0; k < values.length; k++) colour[k] = Math.min(1, Math.max(0, (values[k] - low) / width)) || 0;
  return { colour, range: [low, high] };
}

/** A state a hair away, by `distance` in sizes of the motion: every component that does not just count time is moved. */
export function twin(state, recipe, distance) {
  const [moving, moved] = [recipe.clocks, recipe.phases].map((still) => still.filter((one) => !one).length);
  const each = distance * Math.sqrt(moving / Math.max(1, moved));
  return Array.from(state, (value, i) => (recipe.phases[i] ? value : value + each * recipe.state_sizes[i]));
}

/** The distance of two runs at each sample, in sizes of the motion (root mean square over components): Float32Array(count). */
export function distances(one, other, n, recipe, options = {}) {
  const count = Math.min(options.count ?? Infinity, one.length / n, other.length / n);
  const [a, b] = [one, other].map((states) => observed(states, n, recipe, { ...options, count }));
  const moving = recipe.clocks.map((clock, i) => (clock ? -1 : i)).filter((i) => i >= 0);
  const values = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    let sum = 0;
    for (const i of moving) sum += ((a[k * n + i] - b[k * n + i]) / recipe.sizes[i]) ** 2;
    values[k] = Math.sqrt(sum / Math.max(1, moving.length));
  }
  return values;
}
