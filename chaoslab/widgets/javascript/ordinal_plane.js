// The plane of entropy and complexity: bounds, regions, the path of each component over lags, and where it is at this lag.

import { Chart } from "./chart.js";
import { Shell, floats } from "./shell.js";

const NAMED = { periodic: [0.32, 1], complex: [0.52, 0.3], stochastic: [0.62, 0.42] };

/** What a widget manager calls: draw `model` into `el`; gives what clears it away. */
export function render({ model, el }) {
  const shell = new Shell(model, el, "ordinal"), { names, scale, sampling, shade, unit } = shell.of;
  const steps = () => shell.picture.length - 1, flow = unit !== "iterations";
  const pick = (phase, at) => {
    if (phase === "press" || phase === "drag") shell.set("lag", Math.max(1, (at.x * scale) / (steps() * sampling)));
  };
  const plane = new Chart({ label: "entropy and complexity", height: 420 });
  const curves = new Chart({ label: "over the lag", height: 420, hand: pick });
  shell.charts.push(plane, curves);
  shell.body.append(plane.element, curves.element);

  function draw() {
    const { picture, look } = shell;
    if (!picture.bounds) return;
    const here = nearest(picture.lags, look.lag), count = picture.lags.length;
    const part = (values, k) => values.subarray(k * count, (k + 1) * count), [h, c] = [floats(picture.entropy), floats(picture.complexity)];
    const paths = names.map((name, k) => ({ name, h: part(h, k), c: part(c, k) }));
    plane.set({ title: `patterns of ${picture.length} values`, x: { label: "permutation entropy H (1: all patterns alike)", range: [0, 1] },
      y: { label: "statistical complexity C", range: [0, 1.08 * Math.max(...floats(picture.bounds.upper))] },
      layers: [...ground(picture), ...paths.flatMap((path, k) => drawn(path, k, here)), ...errors(picture, look)] });
    const time = floats(picture.time).map((one) => one / scale), at = time[here];
    const lines = paths.flatMap(({ h, c }, k) => [
      { kind: "line", x: time, y: h, tint: k }, { kind: "line", x: time, y: c, tint: k, dash: [5, 3] },
      { kind: "dots", x: [at, at], y: [h[here], c[here]], tint: k, size: 7 }]);
    curves.set({ title: `solid H, dashed C${flow ? "; shaded: good times" : ""}`, y: { label: "entropy, complexity", range: [0, 1] },
      x: { label: flow ? "time of a pattern (natural time scales)" : "time of a pattern (iterations)", range: [0, time.at(-1) * 1.02] },
      layers: [flow && { kind: "band", from: shade[0], to: shade[1], tint: "soft" },
        { kind: "line", x: [at, at], y: [0, 1], tint: "ink", width: 1, alpha: 0.6 }, ...lines,
        ...paths.map(({ name, h }, k) => ({ kind: "text", x: time.at(-1), y: h.at(-1), text: name, tint: k, anchor: "right", shift: [-4, -9] }))] });
  }

  return shell.open(draw);
}

/** What no patterns reach, the regions, and the curve of noises. */
function ground(picture) {
  const [x, lower, upper] = ["entropy", "lower", "upper"].map((key) => floats(picture.bounds[key]));
  const layers = [{ kind: "area", x, low: upper, high: upper.map(() => 1), tint: "soft", alpha: 0.13 },
    { kind: "area", x, low: upper.map(() => 0), high: lower, tint: "soft", alpha: 0.13 },
    { kind: "line", x, y: lower, tint: "soft", width: 1 }, { kind: "line", x, y: upper, tint: "soft", width: 1 }];
  if (!picture.lines) return layers;
  const [chord, noisy] = ["chord", "noisy"].map((key) => floats(picture.lines[key])), { left, right } = picture.lines;
  const roof = upper.map((one, k) => (Number.isFinite(chord[k]) ? chord[k] : one));
  const part = (keep, low, high, tint) => {
    const rows = [...x.keys()].filter((k) => keep(k) && low[k] <= high[k]);
    const [places, below, above] = [x, low, high].map((values) => rows.map((k) => values[k]));
    return { kind: "area", x: places, low: below, high: above, tint, alpha: 0.11 };
  };
  const after = (k) => x[k] >= left, ceiling = noisy.map((one, k) => Math.min(one, roof[k]));
  layers.unshift(part((k) => x[k] >= left && x[k] <= right, chord, upper, 4), part(after, lower, ceiling, 0), part(after, noisy, roof, 2));
  const at = (edge, entropy) => edge[Math.round(entropy * (edge.length - 1))];
  const edges = { periodic: [roof, upper], complex: [noisy, roof], stochastic: [lower, noisy] };
  for (const [name, [entropy, share]] of Object.entries(NAMED)) {
    const [low, high] = edges[name].map((edge) => at(edge, entropy));
    const beside = name === "periodic" ? { anchor: "right", shift: [-6, -8] } : {}; // its strip is too narrow for a word
    layers.push({ kind: "text", x: entropy, y: low + share * (high - low), text: name, tint: "soft", slant: true, ...beside });
  }
  const noises = { x: floats(picture.noises.entropy), y: floats(picture.noises.complexity) };
  return [...layers, { kind: "line", ...noises, tint: "soft", width: 1, dash: [4, 3] }];
}

/** A component's path over lags, ringed at its beginning, and its place at this one. */
function drawn({ name, h, c }, k, here) {
  const side = h[here] > 0.72 ? { anchor: "right", shift: [-9, -9] } : { anchor: "left", shift: [9, -9] };
  return [{ kind: "line", x: h, y: c, tint: k, width: 1, alpha: 0.75 }, { kind: "dots", x: h, y: c, tint: k, size: 2.4, alpha: 0.8 },
    { kind: "dots", x: [h[0]], y: [c[0]], tint: k, size: 8, hollow: true }, { kind: "dots", x: [h[here]], y: [c[here]], tint: k, size: 10 },
    { kind: "text", x: h[here], y: c[here], text: name, tint: k, ...side }];
}

/** Two standard errors at the lag for which they were computed. */
function errors(picture, look) {
  if (!picture.here || picture.lag !== look.lag) return [];
  const [h, c, dh, dc] = ["entropy", "complexity", "entropy_error", "complexity_error"].map((key) => floats(picture.here[key]));
  return [...h.keys()].flatMap((k) => [
    { kind: "line", x: [h[k] - 2 * dh[k], h[k] + 2 * dh[k]], y: [c[k], c[k]], tint: k, width: 2 },
    { kind: "line", x: [h[k], h[k]], y: [c[k] - 2 * dc[k], c[k] + 2 * dc[k]], tint: k, width: 2 }]);
}

function nearest(values, wanted) {
  return values.reduce((best, one, k) => (Math.abs(one - wanted) < Math.abs(values[best] - wanted) ? k : best), 0);
}

export default { render };
