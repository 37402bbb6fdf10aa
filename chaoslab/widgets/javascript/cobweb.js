// The cobweb of a one-dimensional map: graph, diagonal and staircase, with the series beneath.

import { Chart } from "./chart.js";
import { Shell, floats } from "./shell.js";

/** What a widget manager calls: draw `model` into `el`; gives what clears it away. */
export function render({ model, el }) {
  const shell = new Shell(model, el, "cobweb"), { component } = shell.of;
  let pointed = null; // an iterate under the hand
  const point = (k) => {
    if (k === pointed) return;
    pointed = k;
    draw();
  };
  const web = new Chart({ label: "cobweb", height: 440, square: true });
  const series = new Chart({ label: "series", height: 440, hand: (phase, at) => point(at ? Math.round(at.x) : null) });
  shell.charts.push(web, series);
  shell.body.append(web.element, series.element);

  function draw() {
    const { picture } = shell;
    if (!picture.x) return;
    const [x, image, value, next, step] = ["x", "image", "value", "next", "step"].map((key) => floats(picture[key]));
    const across = [value[0]], up = [value[0]];
    for (let k = 0; k < value.length; k++) {
      across.push(value[k], next[k]);
      up.push(next[k], next[k]);
    }
    const range = picture.span, [first] = step, at = pointed === null ? -1 : pointed - first;
    const [here, after] = [value[at], next[at]];
    const mark = here !== undefined && { kind: "line", x: [here, here, after], y: [here, after, after], tint: 1, width: 3 };
    web.set({
      title: "from the diagonal to the graph, and back: one iteration",
      x: { label: component, range }, y: { label: `${component} one iteration later`, range },
      layers: [{ kind: "line", x: range, y: range, tint: "soft", width: 1 }, { kind: "line", x, y: image, tint: "ink", width: 1.8 },
        { kind: "line", x: across, y: up, tint: 0, width: 0.9, alpha: value.length > 150 ? 0.55 : 0.9 },
        { kind: "dots", x: [value[0]], y: [value[0]], tint: 1, size: 8 }, mark],
    });
    const all = [...value, next.at(-1)].filter((_, k) => !picture.escapes || k < value.length);
    const times = all.map((_, k) => first + k);
    const said = () => `${component} = ${Number(here.toPrecision(5))} at iteration ${first + at}, then ${Number(after.toPrecision(5))}`;
    series.set({
      title: here === undefined ? "the same orbit in time" : said(),
      x: { label: "iteration", range: [first, Math.max(first + 1, times.at(-1))] }, y: { label: component, range },
      layers: [{ kind: "line", x: times, y: all, tint: 0, width: 0.9, alpha: 0.7 },
        { kind: "dots", x: times, y: all, tint: 0, size: all.length > 200 ? 2.5 : 4.5 },
        here !== undefined && { kind: "dots", x: [first + at, first + at + 1], y: [here, after], tint: 1, size: 8 }],
    });
  }

  return shell.open(draw);
}

export default { render };
