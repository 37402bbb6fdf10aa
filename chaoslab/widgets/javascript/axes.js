// The box around an attractor: its edges, numbers and names, as lines and texts that canvas and SVG both draw.

import { directions, flatArea, flatWindow, matrix, project } from "./camera.js";
import { format, ticks } from "./ticks.js";

export const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** {lines: [{from, to, strong}], texts: [{x, y, text, anchor, turn, name}]} in CSS pixels, for what a scene shows. */
export function frame({ camera, width, height, flat, labels, ranges }) {
  const drawing = { lines: [], texts: [] };
  (flat ? flatFrame : solidFrame)(drawing, camera, width, height, labels, ranges);
  return drawing;
}

function flatFrame({ lines, texts }, camera, width, height, labels, ranges) {
  const area = flatArea(width, height), seen = flatWindow(camera);
  const [left, right, top, bottom] = [area.left, area.left + area.width, area.top, area.top + area.height];
  for (const [axis, low, high] of [[0, ...seen.x], [1, ...seen.y]]) {
    const across = axis === 0, length = across ? area.width : area.height;
    for (const { place, text } of marks(ranges?.[axis], low, high, Math.max(2, length / 90))) {
      const share = (place - low) / (high - low);
      const x = left + share * area.width, y = bottom - share * area.height;
      lines.push(across ? { from: [x, top], to: [x, bottom] } : { from: [left, y], to: [right, y] });
      texts.push(across ? { x, y: bottom + 12, text, anchor: "middle" } : { x: left - 7, y, text, anchor: "end" });
    }
  }
  lines.push({ from: [left, bottom], to: [right, bottom], strong: true }, { from: [left, top], to: [left, bottom], strong: true });
  texts.push({ x: (left + right) / 2, y: bottom + 29, text: labels[0] ?? "", anchor: "middle", name: true });
  texts.push({ x: left - 42, y: (top + bottom) / 2, text: labels[1] ?? "", anchor: "middle", turn: -90, name: true });
}

function solidFrame({ lines, texts }, camera, width, height, labels, ranges) {
  const m = matrix(camera, width, height, false), { towards } = directions(camera);
  const at = (point) => project(m, width, height, ...point);
  const back = towards.map((part) => (part > 0 ? -1 : 1)), middle = at([0, 0, 0]);
  if (camera.distance < 2.2) return; // inside the box
  const named = edges(back, at);
  for (let axis = 0; axis < 3; axis++) {
    const [j, k] = [0, 1, 2].filter((other) => other !== axis);
    for (const [side, other] of [[j, k], [k, j]]) {
      // the two edges of the back faces that run along this axis, and the third that they share
      const corner = [0, 0, 0];
      corner[side] = back[side];
      corner[other] = -back[other];
      lines.push(edge(at, axis, corner));
    }
    lines.push(edge(at, axis, back));
    const ends = marks(ranges?.[axis], -1, 1, 4);
    for (const { place, text } of ends) {
      for (const [side, other] of [[j, k], [k, j]]) {
        const from = [0, 0, 0], to = [0, 0, 0];
        from[axis] = to[axis] = place;
        from[side] = to[side] = back[side];
        from[other] = -1;
        to[other] = 1;
        lines.push({ from: at(from), to: at(to) });
      }
      const point = [...named[axis]];
      point[axis] = place;
      texts.push({ ...outward(at(point), middle, at, named[axis], axis, 11), text });
    }
    const centre = [...named[axis]];
    centre[axis] = 0;
    const longest = Math.max(0, ...ends.map(({ text }) => text.length)); // a digit is about 7 pixels wide
    const beside = outward(at(centre), middle, at, named[axis], axis, ends.length ? 30 : 15, longest);
    texts.push({ ...beside, text: labels[axis] ?? "", name: true });
  }
}

/** For each axis the edge that carries its numbers: low and in front for the two level ones, the leftmost upright. */
function edges(back, at) {
  const floor = back[2] < 0 ? -1 : 1; // seen from below the numbers move to the top
  // of the four uprights the nearest and the farthest stand before and behind the picture
  const outer = [[1, 1], [1, -1], [-1, 1], [-1, -1]].filter(([x, y]) => x * y !== back[0] * back[1]);
  const left = outer.map(([x, y]) => [x, y, 0]).sort((p, q) => at(p)[0] - at(q)[0])[0];
  return [[0, -back[1], floor], [-back[0], 0, floor], left];
}

function edge(at, axis, corner) {
  const from = [...corner], to = [...corner];
  from[axis] = -1;
  to[axis] = 1;
  return { from: at(from), to: at(to), strong: true };
}

/** A place beside an edge, away from the middle of the box and square to the edge, past a text of so many digits. */
function outward(place, middle, at, corner, axis, gap, digits = 0) {
  const { from, to } = edge(at, axis, corner);
  let [nx, ny] = [from[1] - to[1], to[0] - from[0]];
  const size = Math.hypot(nx, ny) || 1, away = nx * (place[0] - middle[0]) + ny * (place[1] - middle[1]) < 0 ? -1 : 1;
  [nx, ny] = [away * nx / size, away * ny / size];
  const reach = gap + Math.max(0, 7 * digits * Math.abs(nx) - 8 * Math.abs(ny));
  return { x: place[0] + nx * reach, y: place[1] + ny * reach, anchor: nx < -0.6 ? "end" : nx > 0.6 ? "start" : "middle" };
}

/** Round numbers of the axis' own values and where they lie in the cube. */
function marks(range, low, high, wanted) {
  if (!range || !(range[1] > range[0])) return [];
  const [middle, half] = [(range[0] + range[1]) / 2, (range[1] - range[0]) / 2];
  const values = ticks(middle + low * half, middle + high * half, wanted), step = values.length > 1 ? values[1] - values[0] : 0;
  return values.map((value) => ({ place: (value - middle) / half, text: format(value, step) }));
}

/** Whether a name is a symbol, to be set in italics, and not a word such as PC1. */
export function slanted(name) {
  return !/^[A-Z]{2}/.test(name);
}

/** Draws a frame with a 2-D canvas context whose unit is the CSS pixel. */
export function paint(context, { lines, texts }, colours) {
  for (const strong of [false, true]) {
    context.beginPath();
    for (const line of lines) {
      if (Boolean(line.strong) !== strong) continue;
      context.moveTo(line.from[0], line.from[1]);
      context.lineTo(line.to[0], line.to[1]);
    }
    context.lineWidth = 1;
    context.strokeStyle = colours.grid;
    context.globalAlpha = strong ? 1 : 0.55;
    context.stroke();
  }
  context.globalAlpha = 1;
  context.textBaseline = "middle";
  for (const { x, y, text, anchor, turn, name } of texts) {
    context.save();
    context.font = `${name ? (slanted(text) ? "italic 15px" : "13px") : "11px"} ${FONT}`;
    context.fillStyle = name ? colours.ink : colours.soft;
    context.textAlign = { start: "left", middle: "center", end: "right" }[anchor];
    const before = context.measureText(text).width * { start: 0, middle: 0.5, end: 1 }[anchor];
    context.translate(turn ? x : Math.max(x, before + 2), y); // a long name stays on the canvas
    if (turn) context.rotate(turn * Math.PI / 180);
    context.fillText(text, 0, 0);
    context.restore();
  }
}
