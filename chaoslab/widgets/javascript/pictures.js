// What one sees as a file: PNG by the graphics card, SVG as drawn lines that a paper can print.

import { FONT, frame, slanted } from "./axes.js";
import { flatArea, matrix, nearness, project } from "./camera.js";
import { palette, ramp } from "./colours.js";
import { thickness } from "./scene.js";

const HUES = 24, LAYERS = 4; // steps of colour and of depth that an SVG tells apart
const SLACK = 0.15; // pixels that a drawn line may lie beside the true one

/** The scene as it is now as a promise of a PNG blob: box, numbers and title on the ground of the theme. */
export function png(scene) {
  const { canvas, under, density, width } = scene, colours = palette(scene.dark), band = scene.title ? 34 : 0;
  const whole = document.createElement("canvas");
  Object.assign(whole, { width: canvas.width, height: canvas.height + Math.round(band * density) });
  const context = whole.getContext("2d");
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, whole.width, whole.height);
  scene.draw(true); // the graphics card keeps a picture only until the browser shows it
  for (const layer of [under, canvas]) context.drawImage(layer, 0, Math.round(band * density));
  context.scale(density, density);
  context.font = `16px ${FONT}`;
  Object.assign(context, { textAlign: "center", textBaseline: "middle", fillStyle: colours.ink });
  if (scene.title) context.fillText(scene.title, width / 2, 20);
  return new Promise((done) => whole.toBlob(done, "image/png"));
}

/** The scene as an SVG text, in the camera's view: lines in steps of colour, far ones below near ones. */
export function svg(scene, { width = scene.width, height = scene.height } = {}) {
  const { camera, flat, labels, ranges, tracks, title, dark } = scene, colours = palette(dark), band = title ? 34 : 0;
  const view = { camera, flat, labels, ranges, width, height }, { lines, texts } = frame(view), layers = [];
  tracks.forEach((track, place) => {
    const tint = track.tint ?? colours.tints[place % colours.tints.length];
    pieces(view, track, tint, ramp(dark)).forEach((layer, depth) => (layers[depth] ??= []).push(layer));
  });
  const area = flat ? flatArea(width, height) : { left: 0, top: 0, width, height }, tall = height + band;
  const box = `x="${short(area.left)}" y="${area.top}" width="${short(area.width)}" height="${area.height}"`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${tall}" viewBox="0 ${-band} ${width} ${tall}"`,
    `  font-family="${FONT.replace(/'/g, "")}">`,
    `<title>${escape(title || labels.join(", "))}</title>`,
    `<clipPath id="area"><rect ${box}/></clipPath>`,
    `<rect x="0" y="${-band}" width="${width}" height="${tall}" fill="${colours.ground}"/>`,
    ...lines.map((line) => ruled(line, colours)),
    `<g clip-path="url(#area)" fill="none" stroke-linejoin="round">`,
    ...layers.flat(2),
    "</g>",
    ...scene.marks.map((mark) => marked(view, mark, colours)),
    ...texts.map((text) => written(text, colours)),
  ];
  if (title) parts.push(written({ x: width / 2, y: -14, text: title, anchor: "middle", size: 16 }, colours));
  return parts.join("\n") + "\n</svg>\n";
}

/** Offers a blob or text to save under a name. */
export function download(name, blob) {
  const content = blob instanceof Blob ? blob : new Blob([blob], { type: name.endsWith(".svg") ? "image/svg+xml" : "text/plain" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A track cut into pieces of one colour and depth, as SVG elements: a group for each layer of depth, the farthest first. */
function pieces({ camera, flat, width, height }, { points, colour, dots }, tint, table) {
  const m = matrix(camera, width, height, flat), count = Math.floor(points.length / 3);
  const layers = Array.from({ length: flat ? 1 : LAYERS }, () => []);
  const hue = (bin) => (bin < 0 ? tint : hex(table, 4 * Math.round(255 * (bin + 0.5) / HUES)));
  let piece = [], key = null;
  const close = () => {
    if (piece.length > (dots ? 0 : 1)) layers[key.layer].push(element(piece, hue(key.bin), dots));
    [piece, key] = [[], null];
  };
  for (let i = 0; i < count; i++) {
    const [x, y, w] = project(m, width, height, points[3 * i], points[3 * i + 1], points[3 * i + 2]);
    if (!Number.isFinite(x + y) || w <= 0.1) {
      close();
      continue;
    }
    const bin = colour ? Math.min(HUES - 1, Math.floor(HUES * Math.min(1, Math.max(0, colour[i] || 0)))) : -1;
    const layer = Math.min(layers.length - 1, Math.floor(layers.length * nearness(camera, flat, w)));
    if (key !== null && (bin !== key.bin || layer !== key.layer)) {
      if (!dots) piece.push([x, y]); // pieces meet
      close();
    }
    key ??= { bin, layer };
    piece.push([x, y]);
  }
  close();
  const style = `stroke-width="${thickness(count, dots).toFixed(2)}" stroke-linecap="${dots ? "round" : "butt"}"`;
  const group = (opacity) => `<g ${style} stroke-opacity="${opacity.toFixed(2)}">`;
  return layers.map((layer, depth) => [group(flat ? 0.85 : 0.3 + 0.6 * (depth + 0.5) / LAYERS), ...layer, "</g>"]);
}

/** A line without the points that lie on it anyway (within SLACK), by Ramer and Douglas & Peucker. */
function thinned(line) {
  const keep = new Uint8Array(line.length), stack = [[0, line.length - 1]];
  keep[0] = keep[line.length - 1] = 1;
  while (stack.length) {
    const [from, to] = stack.pop(), [ax, ay] = line[from], [bx, by] = line[to], length = Math.hypot(bx - ax, by - ay);
    let far = 0, place = -1;
    for (let i = from + 1; i < to; i++) {
      const [px, py] = line[i];
      const away = length > 0 ? Math.abs((px - ax) * (by - ay) - (py - ay) * (bx - ax)) / length : Math.hypot(px - ax, py - ay);
      if (away > far) [far, place] = [away, i];
    }
    if (far > SLACK) {
      keep[place] = 1;
      stack.push([from, place], [place, to]);
    }
  }
  return line.filter((_, i) => keep[i]);
}

function element(piece, tint, dots) {
  if (dots) return `<path stroke="${tint}" d="${piece.map(([x, y]) => `M${short(x)},${short(y)}h0`).join("")}"/>`;
  return `<polyline stroke="${tint}" points="${thinned(piece).map((point) => point.map(short).join(",")).join(" ")}"/>`;
}

/** A marked place: a disc, or a ring where it is hollow. */
function marked({ camera, flat, width, height }, { point, tint, hollow }, { ground }) {
  const [x, y, w] = project(matrix(camera, width, height, flat), width, height, ...point);
  if (!Number.isFinite(x + y) || w <= 0.1) return "";
  return `<circle cx="${short(x)}" cy="${short(y)}" r="4.5" stroke="${tint}" stroke-width="2" fill="${hollow ? ground : tint}"/>`;
}

function ruled({ from, to, strong }, colours) {
  const [x1, y1, x2, y2] = [from[0], from[1], to[0], to[1]].map(short);
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colours.grid}" stroke-opacity="${strong ? 1 : 0.55}"/>`;
}

function written({ x, y, text, anchor, turn, name, size = name ? (slanted(text) ? 15 : 13) : 11 }, colours) {
  const [left, top] = [short(x), short(y)], style = name && slanted(text) ? ' font-style="italic"' : "";
  const rotate = turn ? ` transform="rotate(${turn} ${left} ${top})"` : "", fill = name || size > 15 ? colours.ink : colours.soft;
  const place = `x="${left}" y="${top}" dy="0.35em" text-anchor="${anchor}"`;
  return `<text ${place} font-size="${size}"${style} fill="${fill}"${rotate}>${escape(text)}</text>`;
}

function short(value) {
  return String(Math.round(10 * value) / 10);
}

function hex(table, place) {
  return "#" + [0, 1, 2].map((j) => table[place + j].toString(16).padStart(2, "0")).join("");
}

function escape(text) {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}
