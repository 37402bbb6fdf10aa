// A recurrence plot linked to its series: a pair of moments, or a window, marks the two stretches that are meant.

import { rgb } from "./colours.js";
import { Chart, stroke } from "./chart.js";
import { make, short } from "./controls.js";
import { Shell, floats } from "./shell.js";

/** Part of the series that is marked around a moment. */
const AROUND = 0.012;
const HINT = "Point at the plot, or drag a window: the two stretches of the series are marked below. A click keeps them.";

/** What a widget manager calls: draw `model` into `el`; gives what clears it away. */
export function render({ model, el }) {
  const shell = new Shell(model, el, "recurrence"), { names, unit } = shell.of;
  let chosen = null, from = null, layer = null, of = null; // {x: [from, to], y: [from, to], pinned}
  const hand = (phase, at) => {
    const { time } = seen(), wide = AROUND * (time.at(-1) - time[0]);
    if (phase === "leave") chosen = chosen?.pinned ? chosen : null;
    else if (phase === "press") from = at;
    else if (phase === "hover") chosen = chosen?.pinned ? chosen : around(at, wide);
    else {
      const window = { x: [from.x, at.x].sort((a, b) => a - b), y: [from.y, at.y].sort((a, b) => a - b), pinned: true };
      const dragged = Math.max(window.x[1] - window.x[0], window.y[1] - window.y[0]) > wide;
      chosen = dragged ? window : phase !== "release" ? chosen : chosen?.pinned ? around(at, wide) : { ...around(at, wide), pinned: true };
    }
    draw();
  };
  const key = (event) => {
    const { time } = seen(), wide = AROUND * (time.at(-1) - time[0]), step = (event.shiftKey ? 10 : 1) * wide / 2;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Escape") chosen = null;
    else if (way) {
      const middle = (ends) => (ends[0] + ends[1]) / 2, inside = (one) => Math.min(time.at(-1), Math.max(time[0], one));
      const whole = [time[0], time.at(-1)], at = { x: middle(chosen?.x ?? whole), y: middle(chosen?.y ?? whole) };
      chosen = { ...around({ x: inside(at.x + way[0] * step), y: inside(at.y + way[1] * step) }, wide), pinned: true };
    } else return;
    event.preventDefault();
    event.stopPropagation(); // or a notebook would go to another cell
    draw();
  };
  const plot = new Chart({ label: "recurrence plot, arrow keys move, Escape lets go", height: 500, square: true, hand, keys: key });
  const facts = make("table", { class: "cl-view-facts", "aria-label": "statistics of the lines" });
  const read = make("p", { class: "cl-about", role: "note" });
  const side = make("div", {}, facts, read);
  const series = names.map((name) => new Chart({ label: `series of ${name}`, height: name === names.at(-1) ? 118 : 84 }));
  shell.charts.push(plot, ...series);
  shell.body.append(plot.element, side, ...series.map(({ element }) => element));
  for (const { element } of series) element.classList.add("cl-wide");

  const seen = () => ({ time: floats(shell.ground.time), values: floats(shell.ground.series), count: shell.ground.count });

  function draw() {
    const { picture } = shell;
    if (!picture.bits || !shell.ground.time) return;
    const { time, values, count } = seen(), range = [time[0], time.at(-1)];
    const ends = [time[picture.first], time[picture.first + picture.size - 1]];
    if (of !== picture.bits || layer?.dark !== shell.dark) layer = { dark: shell.dark, canvas: dots(picture, shell.dark) };
    of = picture.bits;
    plot.set({ title: "a dot: the motion is back where it was", x: { label: `time (${unit})`, range }, y: { label: `time (${unit})`, range }, layers: [
      { kind: "own", draw: (pen, { x, y }) => {
        pen.imageSmoothingEnabled = true;
        pen.drawImage(layer.canvas, x.at(ends[0]), y.at(ends[1]), x.at(ends[1]) - x.at(ends[0]), y.at(ends[0]) - y.at(ends[1]));
      } },
      chosen && { kind: "own", draw: (pen, layout, colours) => crossed(pen, layout, colours, chosen) }] });
    const band = ([from, to], tint) => ({ kind: "band", from, to, tint, alpha: 0.35 });
    const marks = chosen ? [band(chosen.x, 1), band(chosen.y, 2)] : [];
    series.forEach((chart, k) => {
      const bare = k < series.length - 1, y = values.subarray(k * count, (k + 1) * count);
      chart.set({
        x: { label: bare ? "" : `time (${unit})`, range, bare }, y: { label: names[k] },
        layers: [...marks, { kind: "line", x: time, y, tint: 0, width: 1.1 }],
      });
    });
    const row = ([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value));
    if (picture.facts.length) facts.replaceChildren(...picture.facts.map(row));
    facts.style.opacity = picture.facts.length ? 1 : 0.5;
    read.textContent = chosen ? `marked: ${words(chosen.x)} (across) and ${words(chosen.y)} (up)` : HINT;
  }

  return shell.open(draw);
}

function around({ x, y }, wide) {
  return { x: [x - wide / 2, x + wide / 2], y: [y - wide / 2, y + wide / 2], pinned: false };
}

function words([from, to]) {
  return `${short(from, 4)} to ${short(to, 4)}`;
}

/** Lines from both axes to the window. */
function crossed(pen, { area, x, y }, colours, { x: xs, y: ys }) {
  const [left, right, top, bottom] = [x.at(xs[0]), x.at(xs[1]), y.at(ys[1]), y.at(ys[0])];
  Object.assign(pen, { globalAlpha: 0.18, fillStyle: colours.tints[1] });
  pen.fillRect(left, area.top, right - left, area.bottom - area.top);
  pen.fillStyle = colours.tints[2];
  pen.fillRect(area.left, top, area.right - area.left, bottom - top);
  pen.globalAlpha = 1;
  stroke(pen, [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], colours.ink, 1.5, 1);
}

/** The plot as an image, a pixel a pair, the second time upwards. */
function dots({ bits, size }, dark) {
  const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength), canvas = make("canvas", { width: size, height: size });
  const pen = canvas.getContext("2d"), image = pen.createImageData(size, size), tint = rgb(dark ? "#56B4E9" : "#0072B2");
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const k = i * size + j;
      if (!(bytes[k >> 3] & (128 >> (k & 7)))) continue;
      const at = 4 * ((size - 1 - j) * size + i);
      image.data.set(tint, at);
      image.data[at + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

export default { render };
