// From the unit cube to the canvas: one matrix for the graphics card, the labels and the exported drawing.

/** Where the camera stands at first: degrees, and distances in half-sides of the cube. */
export const HOME = Object.freeze({ azimuth: -55, elevation: 16, distance: 4.8, panX: 0, panY: 0 });
const FOCAL = 2.75; // a field of view of 40 degrees: little distortion
const LIFT = 0.38; // the near side of the box looks larger: moved so that the whole stays in the middle
const MARGIN = { left: 54, right: 14, top: 12, bottom: 40 }; // CSS pixels around a flat picture, for its numbers
const WIDEST = 1.7; // a flat picture is not stretched beyond this

/** The directions right, up and towards the viewer, as unit vectors of the cube. */
export function directions({ azimuth, elevation }) {
  const a = azimuth * Math.PI / 180, e = elevation * Math.PI / 180;
  const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
  return { right: [-sa, ca, 0], up: [-se * ca, -se * sa, ce], towards: [ce * ca, ce * sa, se] };
}

/** The rectangle of a flat picture in CSS pixels: {left, top, width, height}. */
export function flatArea(width, height) {
  const tall = Math.max(20, height - MARGIN.top - MARGIN.bottom);
  const full = Math.max(20, width - MARGIN.left - MARGIN.right), wide = Math.min(full, WIDEST * tall);
  return { left: MARGIN.left + (full - wide) / 2, top: MARGIN.top, width: wide, height: tall };
}

/** The projection as a column-major 4 x 4 matrix, for a canvas of the given size in CSS pixels. */
export function matrix(camera, width, height, flat) {
  return flat ? flatMatrix(camera, width, height) : solidMatrix(camera, width, height);
}

/** Cube units that one CSS pixel covers in the middle of the picture: {x, y}. */
export function pixel(camera, width, height, flat) {
  const size = 2 * camera.distance / FOCAL / room(width, height);
  if (!flat) return { x: size, y: size };
  const area = flatArea(width, height), { x, y } = flatWindow(camera);
  return { x: (x[1] - x[0]) / area.width, y: (y[1] - y[0]) / area.height };
}

/** CSS pixels that the turning box may fill; the numbers beside it need some. */
function room(width, height) {
  return Math.min(0.85 * width, height);
}

function solidMatrix(camera, width, height) {
  const { right, up, towards } = directions(camera), least = room(width, height);
  const fx = FOCAL * least / width, fy = FOCAL * least / height, near = 0.1, far = 100;
  const a = (far + near) / (far - near), b = -2 * far * near / (far - near);
  const columns = [0, 1, 2].map((j) => [fx * right[j], fy * up[j], -a * towards[j], -towards[j]]);
  const lift = LIFT * Math.sin(2 * camera.elevation * Math.PI / 180);
  columns.push([fx * camera.panX, fy * (camera.panY + lift), a * camera.distance + b, camera.distance]);
  return new Float32Array(columns.flat());
}

function flatMatrix(camera, width, height) {
  const area = flatArea(width, height), zoom = 0.94 * HOME.distance / camera.distance; // a little air around the points
  const sx = zoom * area.width / width, sy = zoom * area.height / height;
  const cx = 2 * (area.left + area.width / 2) / width - 1, cy = 1 - 2 * (area.top + area.height / 2) / height;
  return new Float32Array([sx, 0, 0, 0, 0, sy, 0, 0, 0, 0, 0, 0, cx + sx * camera.panX, cy + sy * camera.panY, 0, 1]);
}

/** A point of the cube on the canvas: [x, y, distance from the viewer] in CSS pixels. */
export function project(m, width, height, x, y, z) {
  const w = m[3] * x + m[7] * y + m[11] * z + m[15];
  const px = (m[0] * x + m[4] * y + m[8] * z + m[12]) / w, py = (m[1] * x + m[5] * y + m[9] * z + m[13]) / w;
  return [(px + 1) / 2 * width, (1 - py) / 2 * height, w];
}

/** How near a point is, from 0 (the far side of the cube) to 1; the depth cue of every drawing. */
export function nearness(camera, flat, w) {
  return flat ? 1 : Math.min(1, Math.max(0, (camera.distance + 1.3 - w) / 2.6));
}

/** The part of the plane that a flat picture shows, in cube units: {x: [low, high], y: [low, high]}. */
export function flatWindow(camera) {
  const half = camera.distance / HOME.distance / 0.94;
  return { x: [-half - camera.panX, half - camera.panX], y: [-half - camera.panY, half - camera.panY] };
}
