// A plane through an attractor: the attractor to turn, the crossings in the plane, the return map and the return times.

import { Chart } from "./chart.js";
import { palette } from "./colours.js";
import { make } from "./controls.js";
import { Scene } from "./scene.js";
import { Shell, floats } from "./shell.js";

/** What a widget manager calls: draw `model` into `el`; gives what clears it away. */
export function render({ model, el }) {
  const shell = new Shell(model, el, "section");
  const canvas = make("canvas"), stage = make("div", { class: "cl-stage" }, canvas);
  const plane = new Chart({ label: "crossings", height: 420 });
  const map = new Chart({ label: "return map", height: 330, square: true });
  const times = new Chart({ label: "return times", height: 330 });
  shell.body.append(stage, plane.element, map.element, times.element);
  shell.charts.push(plane, map, times);
  let scene = null, shown = null;
  try {
    scene = new Scene(canvas, { title: `${shell.of.title} with a plane` });
    shell.charts.push(scene);
  } catch (error) {
    stage.replaceChildren(make("p", { class: "cl-complaint", role: "alert" }, error.message));
  }

  function draw() {
    const { picture, ground, look } = shell;
    if (scene) scene.dark = shell.dark;
    if (!picture.plane) return;
    if (scene) attractor(scene, ground, picture, shell.dark);
    const never = picture.never || "", [x, y] = picture.names ?? ["", ""], along = look.along;
    const title = x === "crossing" ? "crossings, one after the other" : `crossings, seen in the plane across ${along}`;
    plane.set({ empty: never, title, x: { label: x }, y: { label: y }, layers: [dots(floats(picture.x), floats(picture.y))] });
    const value = floats(picture.value), next = floats(picture.next), name = look.coordinate.replace("_", " ");
    const few = never ? "no crossings, so no return map" : value.length ? "" : "too few crossings for a return map";
    const range = ends(value, next);
    map.set({ empty: few, title: `${name}: what follows what`,
      x: { label: `${name} at a crossing`, range }, y: { label: `${name} at the next`, range },
      layers: [{ kind: "line", x: range, y: range, tint: "soft", width: 1 }, dots(value, next)] });
    const counts = picture.counts ?? [];
    const none = never ? "no crossings, so no returns" : counts.length ? "" : "too few crossings for return times";
    times.set({ empty: none, title: "how long a return takes",
      x: { label: "time from a crossing to the next (time units)" }, y: { label: "crossings" },
      layers: [{ kind: "bars", edges: picture.edges ?? [], y: counts, tint: 0 }] });
  }

  return shell.open(draw);

  function attractor(scene, ground, picture, dark) {
    if (!ground.points) return;
    const { tints, soft } = palette(dark);
    if (shown !== ground) {
      shown = ground;
      scene.flat = ground.labels.length < 3;
      scene.labels = ground.labels;
      scene.ranges = ground.ranges;
      Object.assign(ground, { kept: floats(ground.points) });
    }
    scene.setTracks([{ points: ground.kept, colour: null, tint: soft }, { points: floats(picture.plane), colour: null, tint: tints[0] },
      { points: floats(picture.dots), colour: null, tint: tints[1], dots: true, distinct: 2000 }]);
  }
}

function dots(x, y) {
  return { kind: "dots", x, y, tint: 0, size: x.length > 1500 ? 1.6 : 2.2, alpha: 0.75 };
}

/** One range for both axes of a return map. */
function ends(...columns) {
  let [low, high] = [Infinity, -Infinity];
  for (const values of columns) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const air = (high - low) * 0.04 || Math.abs(low) * 0.05 || 1;
  return low <= high ? [low - air, high + air] : [0, 1];
}

export default { render };
