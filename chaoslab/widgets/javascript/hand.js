// Turning, moving and zooming a scene by mouse, touch and keyboard.

const NEAREST = 0.7, FARTHEST = 40;

/** Lets a scene follow the hand; returns what ends it. */
export function follow(scene) {
  const { canvas } = scene, held = new Map(), ending = new AbortController();
  const on = (event, listener, options = {}) => canvas.addEventListener(event, listener, { signal: ending.signal, ...options });

  on("pointerdown", (event) => {
    held.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    canvas.style.cursor = "grabbing";
  });
  on("pointermove", (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const others = [...held].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]], now = [event.clientX, event.clientY];
    held.set(event.pointerId, now);
    if (others.length) {
      zoom(scene, distance(others[0], last) / Math.max(1, distance(others[0], now)));
      shift(scene, dx / 2, dy / 2);
    } else if (scene.flat || event.shiftKey || event.buttons & 6) shift(scene, dx, dy);
    else turn(scene, -0.4 * dx, 0.4 * dy);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    on(name, (event) => {
      held.delete(event.pointerId);
      if (held.size === 0) canvas.style.cursor = "grab";
    });
  }
  on("contextmenu", (event) => event.preventDefault());
  on("dblclick", () => scene.reset());
  on("wheel", (event) => {
    // A page that is scrolled past the picture keeps scrolling: the wheel zooms only where the reader has clicked before.
    if (!event.ctrlKey && canvas.getRootNode().activeElement !== canvas) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1, amount = Math.max(-120, Math.min(120, lines * event.deltaY));
    zoom(scene, Math.exp(0.0018 * amount * (event.ctrlKey ? 3 : 1)), [event.offsetX, event.offsetY]);
  }, { passive: false });
  on("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow && (scene.flat || event.shiftKey)) shift(scene, 20 * arrow[0], 20 * arrow[1]);
    else if (arrow) turn(scene, -5 * arrow[0], 5 * arrow[1]);
    else if (event.key === "+" || event.key === "=") zoom(scene, 1 / 1.15);
    else if (event.key === "-" || event.key === "_") zoom(scene, 1.15);
    else if (event.key === "Home" || event.key === "0") scene.reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return () => ending.abort();
}

function turn(scene, azimuth, elevation) {
  const { camera } = scene;
  const wrapped = ((camera.azimuth + azimuth + 540) % 360) - 180;
  scene.camera = { ...camera, azimuth: wrapped, elevation: Math.max(-90, Math.min(90, camera.elevation + elevation)) };
}

/** Moves the picture by CSS pixels. */
function shift(scene, dx, dy) {
  const { x, y } = scene.pixel();
  scene.camera = { ...scene.camera, panX: scene.camera.panX + dx * x, panY: scene.camera.panY - dy * y };
}

/** Moves nearer (factor below 1) or away; what lies under the place (CSS pixels) stays there. */
function zoom(scene, factor, place) {
  const { camera } = scene, before = scene.pixel(), middle = scene.middle();
  const reached = Math.max(NEAREST, Math.min(FARTHEST, camera.distance * factor));
  scene.camera = { ...camera, distance: reached };
  if (!place) return;
  const after = scene.pixel(), [dx, dy] = [place[0] - middle.x, place[1] - middle.y];
  const { panX, panY } = scene.camera;
  scene.camera = { ...scene.camera, panX: panX + dx * (after.x - before.x), panY: panY - dy * (after.y - before.y) };
}

function distance([ax, ay], [bx, by]) {
  return Math.hypot(ax - bx, ay - by);
}

/** What a screen reader says of the canvas. */
export function describe(title, labels, flat) {
  const what = `${title ? title + ": " : ""}${labels.filter(Boolean).join(", ")}`;
  return `${what}. ${flat ? "Arrow keys move" : "Arrow keys turn"} the picture, plus and minus zoom, 0 resets.`;
}

