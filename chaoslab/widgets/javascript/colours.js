// Colours that colour-blind readers can tell apart, on a light and on a dark ground.

// Okabe & Ito (2008); on a dark ground the deep blue would drown, so the sky blue leads there.
const LIGHT = {
  ground: "#ffffff", ink: "#1f2328", soft: "#5c6570", grid: "#dfe3e8", head: "#1f2328",
  tints: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"],
};
const DARK = {
  ground: "#111418", ink: "#e8ebef", soft: "#9aa4b0", grid: "#2c333b", head: "#ffffff",
  tints: ["#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00"],
};

// Evenly spaced points of each scale.
// viridis: van der Walt & Smith (2015); cividis: Nuñez, Anderton & Renslow, PLOS ONE 13, e0199239 (2018).
const POINTS = {
  viridis: "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26818e 21908c 1f9f88 28ae80 3ebc74 5dc963 82d34c abdc32 d5e21a fde725",
  cividis: "00224e 002a60 003171 1a386f 2b406d 38476c 434e6c 4d566c 575d6d 61656f 6a6c71 737475 7c7b78 868379 908b78 9b9376 a59c74 " +
    "b0a471 bbad6c c6b667 d2bf60 ddc958 e9d24e f5dc40 fee838",
};

/** The colours of a theme: ground, ink, soft (less important text), grid, head (of a comet) and tints for lines. */
export function palette(dark) {
  return dark ? DARK : LIGHT;
}

/** Red, green and blue, 0 to 255, of "#rrggbb". */
export function rgb(hex) {
  return [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
}

/** A colour scale as 256 x 4 bytes; `from` and `to` (0 to 1) choose a part of it. */
export function map(name, from = 0, to = 1) {
  if (!(name in POINTS)) throw new Error(`no colour scale "${name}"; there are ${Object.keys(POINTS).join(", ")}`);
  const points = POINTS[name].split(" ").map((text) => rgb("#" + text));
  const table = new Uint8Array(4 * 256);
  for (let i = 0; i < 256; i++) {
    const place = (from + (to - from) * i / 255) * (points.length - 1);
    const left = Math.min(Math.floor(place), points.length - 2), share = place - left;
    for (let j = 0; j < 3; j++) table[4 * i + j] = Math.round(points[left][j] * (1 - share) + points[left + 1][j] * share);
    table[4 * i + 3] = 255;
  }
  return table;
}

/** The part of a scale that stands out from the ground: no pale yellow on white, no deep violet on black. */
export function ramp(dark, name = "viridis") {
  return dark ? map(name, 0.22, 1) : map(name, 0, 0.84);
}

/** A ramp as a CSS gradient, for a legend. */
export function gradient(dark, name = "viridis") {
  const table = ramp(dark, name), stops = [];
  for (let i = 0; i < 256; i += 15) stops.push(`rgb(${table.slice(4 * i, 4 * i + 3).join(" ")})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** Whether an element stands on a dark ground: JupyterLab says so, else the first background behind it, else the page's scheme. */
export function isDark(element) {
  const lab = element.closest?.("[data-jp-theme-light]") ?? document.body;
  if (lab.dataset.jpThemeLight) return lab.dataset.jpThemeLight === "false";
  for (let node = element; node instanceof Element; node = node.parentElement ?? node.getRootNode().host) {
    const [red, green, blue, alpha = 1] = numbers(getComputedStyle(node).backgroundColor);
    if (alpha > 0.5) return luminance(red, green, blue) < 0.4;
  }
  // No background anywhere: the browser's own ground, which follows prefers-color-scheme where the page allows it.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "CanvasText";
  const ink = numbers(getComputedStyle(probe).color);
  probe.remove();
  return luminance(...ink) > 0.6;
}

/** Calls back with true or false whenever the ground of an element turns dark or light; returns what ends it. */
export function watchDark(element, callback) {
  let last = isDark(element);
  const look = () => {
    const now = isDark(element);
    if (now !== last) callback((last = now));
  };
  const observer = new MutationObserver(look);
  const watched = { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class", "style"] };
  for (const node of [document.documentElement, document.body]) observer.observe(node, watched);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", look);
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", look);
  };
}

function numbers(css) {
  return (css.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
}

function luminance(red, green, blue) {
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
