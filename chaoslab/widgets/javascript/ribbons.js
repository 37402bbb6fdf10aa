// Trajectories on the graphics card: lines as ribbons two vertices wide, iterates of a map as round dots.

// Every point is stored twice, once for each edge of the ribbon: x, y, z and four bytes of colour (the last is 0 where it is not
// to be drawn). The same buffer, shifted by one point, also gives the point before and the point after. While the picture moves,
// every vertex takes the next point, left and right edge in turn, or every second or fourth: see `pace`.
const POINT = 32; // bytes
const TAIL = 9; // copies of the last point, so that every pace reaches the end

const HEAD = `#version 300 es
precision highp float;
uniform mat4 projection;
uniform vec2 half_size;   // of the canvas, in its pixels
uniform float width;      // of a line or dot, in the canvas's pixels
uniform vec4 comet;       // head, length of its trail (both in points), how strong the rest is, whether this is the trail
uniform vec2 depth;       // distance from the viewer that is drawn full, and over how much the rest fades
uniform float opacity;
uniform float pace;       // points from one vertex to the next
uniform vec4 glow;        // what the colour turns to near the comet's head, and how far
layout(location = 1) in vec3 here;
layout(location = 3) in vec4 colour;
out vec4 paint;

vec4 shade(float index, float w) {
  float near = 1.0 - 0.72 * clamp((w - depth.x) / depth.y, 0.0, 1.0);
  float trail = clamp(1.0 - (comet.x - index) / comet.y, 0.0, 1.0);
  if (comet.w < 0.5) return vec4(colour.rgb, opacity * near * comet.z);
  return vec4(mix(colour.rgb, glow.rgb, glow.a * trail), opacity * trail);
}
`;

const LINE = HEAD + `
layout(location = 0) in vec3 before;
layout(location = 2) in vec3 after;
out float side;
out float whole;              // below 1 beside a point that is not to be drawn

void main() {
  float index = floor(float(gl_VertexID) * pace), edge = (gl_VertexID & 1) == 0 ? 1.0 : -1.0;
  vec3 place = here, along = after - before;
  if (comet.w > 0.5 && index > comet.x) {       // the comet's head stands between two samples
    along = here - before;
    place = mix(before, here, fract(comet.x));
    index = comet.x;
  }
  gl_Position = projection * vec4(place, 1.0);
  vec4 move = projection * vec4(along, 0.0);
  vec2 way = (move.xy * gl_Position.w - gl_Position.xy * move.w) * half_size;
  float size = length(way);
  vec2 normal = size > 0.0 ? vec2(-way.y, way.x) / size : vec2(0.0);
  side = edge * (0.5 * width + 0.5);            // the outermost half pixel is the soft edge
  gl_Position.xy += normal * side / half_size * gl_Position.w;
  paint = shade(index, gl_Position.w);
  whole = colour.a;
}`;

const DOT = HEAD + `
uniform float grow;         // how much larger the newest dots are
out float radius;

void main() {
  float index = float(gl_VertexID);
  gl_Position = projection * vec4(here, 1.0);
  gl_PointSize = (width + 1.0) * (comet.w > 0.5 ? mix(1.0, grow, clamp(1.0 - (comet.x - index) / comet.y, 0.0, 1.0)) : 1.0);
  radius = 0.5 * gl_PointSize;
  paint = shade(index, gl_Position.w) * vec4(1.0, 1.0, 1.0, colour.a);
}`;

const LINE_COLOUR = `#version 300 es
precision highp float;
uniform float width;
in vec4 paint;
in float side;
in float whole;
out vec4 result;
void main() {
  float alpha = paint.a * step(0.999, whole) * clamp(0.5 * width + 0.5 - abs(side), 0.0, 1.0);
  result = vec4(paint.rgb * alpha, alpha);
}`;

const DOT_COLOUR = `#version 300 es
precision highp float;
in vec4 paint;
in float radius;
out vec4 result;
void main() {
  float alpha = paint.a * clamp((1.0 - 2.0 * length(gl_PointCoord - 0.5)) * radius, 0.0, 1.0);
  result = vec4(paint.rgb * alpha, alpha);
}`;

/** The programs and buffers of one canvas; made again after a lost context. */
export class Ribbons {
  constructor(gl) {
    this.gl = gl;
    this.line = program(gl, LINE, LINE_COLOUR);
    this.dot = program(gl, DOT, DOT_COLOUR);
    this.tracks = [];
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Loads tracks {points, colour, dots, paint: [r, g, b]}; buffers are kept, as a slider brings new points many times a second.
   * `scale`: 256 x 4 bytes, for tracks with colour. */
  setTracks(tracks, scale) {
    const { gl } = this;
    while (this.tracks.length > tracks.length) gl.deleteBuffer(this.tracks.pop().buffer);
    tracks.forEach((track, place) => {
      const count = Math.floor(track.points.length / 3);
      const kept = this.tracks[place] ?? { buffer: gl.createBuffer(), data: new Float32Array(0) };
      if (kept.data.length !== 8 * (count + 1 + TAIL)) kept.data = new Float32Array(8 * (count + 1 + TAIL));
      pack(kept.data, track, count, scale);
      gl.bindBuffer(gl.ARRAY_BUFFER, kept.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, kept.data, gl.DYNAMIC_DRAW);
      this.tracks[place] = Object.assign(kept, { count, dots: Boolean(track.dots), bend: bend(track.points, count) });
    });
  }

  /** The largest pace at which the drawn line stays within `error` (in cube units) of the true one. */
  pace(place, error) {
    // an edge that takes every second point of pace p cuts corners of 2 p samples; the cut grows with the square
    return [4, 2, 1].find((pace) => this.tracks[place].bend * pace * pace <= error) ?? 0.5;
  }

  /** Draws one track, faint where `comet` {head, length, rest} runs, or only the comet's trail (lit). */
  draw(place, { comet = { head: 0, length: 1, rest: 1 }, pace = 0.5, grow = 1, glow = null, ...shared }) {
    const { gl } = this, { count, dots, buffer } = this.tracks[place];
    if (count === 0) return;
    const step = dots ? 1 : comet.lit ? 0.5 : pace; // points from vertex to vertex
    const at = this.begin(dots ? this.dot : this.line, shared);
    gl.uniform4f(at("comet"), comet.head, comet.length, comet.rest, comet.lit ? 1 : 0);
    gl.uniform1f(at("pace"), step);
    gl.uniform4f(at("glow"), ...(glow ?? [0, 0, 0]).map((part) => part / 255), glow ? 0.75 : 0);
    if (dots) gl.uniform1f(at("grow"), grow);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    const slots = dots ? [[1, POINT]] : [[0, 0], [1, POINT], [2, 2 * POINT]];
    for (const [slot, offset] of slots) gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, step * POINT, offset);
    gl.vertexAttribPointer(3, 4, gl.UNSIGNED_BYTE, true, step * POINT, POINT + 12);
    for (const slot of [0, 1, 2, 3]) {
      if (slot === 3 || slots.some(([used]) => used === slot)) gl.enableVertexAttribArray(slot);
      else gl.disableVertexAttribArray(slot);
    }
    const first = comet.lit ? Math.max(0, Math.floor(comet.head - comet.length)) : 0;
    const last = comet.lit ? Math.min(count - 1, dots ? Math.floor(comet.head) : Math.ceil(comet.head)) : count - 1;
    if (dots) gl.drawArrays(gl.POINTS, first, last - first + 1);
    else gl.drawArrays(gl.TRIANGLE_STRIP, first / step, step < 1 ? 2 * (last - first + 1) : Math.ceil((count - 1) / step) + 2);
  }

  /** A round dot at one place: the comet's head. */
  mark([x, y, z], { tint, ...shared }) {
    const { gl } = this, at = this.begin(this.dot, { ...shared, depth: [1e6, 1] }); // always in full colour
    gl.uniform4f(at("comet"), 0, 1, 1, 0);
    for (const slot of [0, 1, 2, 3]) gl.disableVertexAttribArray(slot);
    gl.vertexAttrib3f(1, x, y, z);
    gl.vertexAttrib4f(3, ...tint.map((part) => part / 255), 1);
    gl.drawArrays(gl.POINTS, 0, 1);
  }

  begin({ shader, at }, { projection, size, width, depth, opacity = 1 }) {
    const { gl } = this;
    gl.useProgram(shader);
    gl.uniformMatrix4fv(at("projection"), false, projection);
    gl.uniform2f(at("half_size"), size[0] / 2, size[1] / 2);
    gl.uniform1f(at("width"), width);
    gl.uniform2f(at("depth"), depth[0], depth[1]);
    gl.uniform1f(at("opacity"), opacity);
    return at;
  }

  dispose() {
    for (const { buffer } of this.tracks) this.gl.deleteBuffer(buffer);
    for (const { shader } of [this.line, this.dot]) this.gl.deleteProgram(shader);
    this.tracks = [];
  }
}

/** Writes every point twice, with a copy of the first before and some of the last behind; points that are not finite are hidden. */
function pack(data, { points, colour, paint }, count, scale) {
  const bytes = new Uint8Array(data.buffer);
  for (let i = -1; i < count + TAIL; i++) {
    const from = Math.min(Math.max(i, 0), count - 1), to = 8 * (i + 1);
    const x = points[3 * from], y = points[3 * from + 1], z = points[3 * from + 2], good = Number.isFinite(x + y + z);
    const hue = colour ? 4 * Math.round(255 * Math.min(1, Math.max(0, colour[from] || 0))) : 0, table = colour ? scale : paint;
    for (let copy = 0; copy < 8; copy += 4) {
      data[to + copy] = good ? x : 0;
      data[to + copy + 1] = good ? y : 0;
      data[to + copy + 2] = good ? z : 0;
      const place = 4 * (to + copy + 3);
      bytes[place] = table[hue];
      bytes[place + 1] = table[hue + 1];
      bytes[place + 2] = table[hue + 2];
      bytes[place + 3] = good ? 255 : 0;
    }
  }
}

/** How far a sample lies from the line through its neighbours: what most of the track (nine places of ten) stays below. */
function bend(points, count) {
  const found = [], every = 3 * Math.max(1, Math.floor(count / 600));
  for (let i = 3; i < 3 * (count - 1); i += every) {
    let away = 0, along = 0, chord = 0;
    for (let j = i; j < i + 3; j++) {
      const side = points[j] - points[j - 3], whole = points[j + 3] - points[j - 3];
      away += side * side;
      along += side * whole;
      chord += whole * whole;
    }
    const square = chord > 0 ? away - along * along / chord : away;
    if (Number.isFinite(square)) found.push(Math.sqrt(Math.max(0, square)));
  }
  return found.sort((a, b) => a - b)[Math.floor(0.9 * found.length)] ?? 0;
}

function program(gl, vertex, fragment) {
  const shader = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const part = gl.createShader(kind);
    gl.shaderSource(part, text);
    gl.compileShader(part);
    gl.attachShader(shader, part);
    gl.deleteShader(part);
  }
  gl.linkProgram(shader);
  if (!gl.getProgramParameter(shader, gl.LINK_STATUS) && !gl.isContextLost()) {
    const parts = gl.getAttachedShaders(shader).map((part) => gl.getShaderInfoLog(part));
    throw new Error(`the graphics card refuses the drawing: ${[gl.getProgramInfoLog(shader), ...parts].join(" ").trim()}`);
  }
  const places = {};
  return { shader, at: (name) => (places[name] ??= gl.getUniformLocation(shader, name)) };
}
