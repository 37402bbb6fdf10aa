/** The catalogue as a wall of small attractors: search, filter, click. One module without imports. */

const FILTERS = ["field", "regime", "dimension", "kind"];
const ALL = { field: "every field", regime: "every regime", dimension: "every dimension", kind: "every kind" };
/** Colours of a line from its first point to its last: the part of viridis that stands off the ground. */
const RAMP = { light: ["#440154", "#31688e", "#35b779"], dark: ["#31a1a8", "#5ec962", "#fde725"] };
/** Colours of low and high values at sites, and of dots; after Okabe & Ito. */
const DOTS = { light: "#0072b2", dark: "#56b4e9" };
const LOW_HIGH = { light: ["#0072b2", "#ffffff", "#d55e00"], dark: ["#56b4e9", "#16181c", "#e69f00"] };
/** A thumbnail in CSS pixels, and the pieces of one colour that its line is drawn in. */
const WIDTH = 148;
const HEIGHT = 108;
const MARGIN = 5;
const PIECES = 24;

const STYLE = `
.cl-wall { --ground: #ffffff; --card: #ffffff; --ink: #1c1e21; --quiet: #5a5f66; --rule: #d5d8dc; --mark: #0072b2;
  font: 13px/1.35 var(--jp-ui-font-family, system-ui, sans-serif); color: var(--ink); }
.cl-wall.cl-dark { --ground: #111316; --card: #16181c; --ink: #eceef1; --quiet: #a4abb5; --rule: #363b43; --mark: #56b4e9; }
.cl-wall * { box-sizing: border-box; }
.cl-wall-bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-bottom: 8px; }
.cl-wall-bar input, .cl-wall-bar select, .cl-wall-bar button { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--rule); border-radius: 4px; padding: 4px 8px; height: 30px; }
.cl-wall-bar input { flex: 2 1 160px; min-width: 120px; }
.cl-wall-bar select { flex: 1 1 120px; min-width: 100px; max-width: 190px; text-overflow: ellipsis; }
.cl-wall-bar button { cursor: pointer; }
.cl-wall-bar button[hidden] { display: none; }
.cl-wall-bar .cl-active { border-color: var(--mark); box-shadow: inset 0 0 0 1px var(--mark); }
.cl-wall-count { color: var(--quiet); min-height: 1.4em; margin-bottom: 6px; }
.cl-wall-count button { font: inherit; color: var(--mark); background: none; border: 0; padding: 0; text-decoration: underline; cursor: pointer; }
.cl-wall-grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(164px, 1fr)); gap: 8px; max-height: 600px;
  overflow-y: auto; position: relative; padding: 3px; background: var(--ground); }
.cl-open .cl-wall-grid { max-height: 330px; }
.cl-card { display: flex; flex-direction: column; align-items: center; text-align: center; gap: 1px; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 7px 7px 8px; cursor: pointer; min-width: 0; }
.cl-card:hover { border-color: var(--mark); }
.cl-card[aria-current="true"] { border-color: var(--mark); box-shadow: inset 0 0 0 1px var(--mark); }
.cl-card:focus-visible, .cl-wall-bar :focus-visible { outline: 2px solid var(--mark); outline-offset: 1px; }
.cl-card canvas { width: ${WIDTH}px; height: ${HEIGHT}px; margin-bottom: 4px; }
.cl-card b { font-weight: 600; max-width: 100%; overflow-wrap: anywhere; }
.cl-card span { color: var(--quiet); font-size: 11.5px; max-width: 100%; }
.cl-card .cl-title { color: var(--ink); display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.cl-card[hidden] { display: none; }
`;

/** Text without case, accents and separators, as the catalogue looks names up. */
export function fold(text) {
  return text.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]/g, "");
}

const haystacks = new WeakMap();

/** All that a search looks through. */
function haystack(entry) {
  if (!haystacks.has(entry)) {
    const words = ["name", "title", "about", "field", "kind", "regime", "cite"].map((key) => fold(entry[key]));
    haystacks.set(entry, words.join(" "));
  }
  return haystacks.get(entry);
}

/** Whether an entry is wanted; `except` names a filter that is left out. */
export function matches(entry, wanted, except = "") {
  const value = { field: entry.field, regime: entry.regime, kind: entry.kind, dimension: entry.size };
  if (FILTERS.some((key) => key !== except && wanted[key] && wanted[key] !== value[key])) return false;
  const text = haystack(entry);
  return (wanted.text || "").split(/\s+/).map(fold).every((word) => text.includes(word));
}

/** How early an entry comes among those found: by its name, by the name's beginning, by its title, by the rest. */
export function rank(entry, text) {
  const [name, title, words] = [fold(entry.name), fold(entry.title), text.split(/\s+/).map(fold)];
  const places = [(word) => name === word, (word) => name.startsWith(word), (word) => name.includes(word), (word) => title.includes(word)];
  if (name === fold(text)) return -1;
  const place = places.findIndex((fits) => words.some((word) => word && fits(word)));
  return place < 0 ? places.length : place;
}

/** The choices of a filter with how many systems each would leave, given what else is wanted. */
export function choices(entries, wanted, filter) {
  const key = filter === "dimension" ? "size" : filter;
  const left = new Map();
  for (const entry of entries) left.set(entry[key], (left.get(entry[key]) || 0) + (matches(entry, wanted, filter) ? 1 : 0));
  const order = (word) => (filter === "dimension" ? String(parseInt(word, 10)).padStart(3, "0") : word);
  return [...left].sort(([a], [b]) => (order(a) < order(b) ? -1 : 1));
}

/** The name most like a text, by the pairs of letters they share; "" where none is. */
export function nearest(text, names) {
  const pairs = (word) => new Set([...word].slice(1).map((letter, k) => word[k] + letter));
  const mine = pairs(fold(text));
  let best = ["", 0.35];
  for (const name of names) {
    const theirs = pairs(fold(name));
    const shared = [...mine].filter((pair) => theirs.has(pair)).length;
    const likeness = (2 * shared) / (mine.size + theirs.size || 1);
    if (likeness > best[1]) best = [name, likeness];
  }
  return best[0];
}

/** Where each entry's numbers lie in the bytes of all pictures: name to a Uint8Array. */
export function split(entries, view) {
  const bytes = view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array();
  const found = new Map();
  let begin = 0;
  for (const { name, shape } of entries) {
    const size = shape[0] * shape[1];
    if (size && begin + size <= bytes.length) found.set(name, bytes.subarray(begin, begin + size));
    begin += size;
  }
  return found;
}

/** The colour at a place from 0 to 1 along three. */
function between(ramp, place) {
  const rgb = (text) => [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16));
  const [from, to] = place < 0.5 ? [rgb(ramp[0]), rgb(ramp[1])] : [rgb(ramp[1]), rgb(ramp[2])];
  const part = place < 0.5 ? 2 * place : 2 * place - 1;
  return from.map((value, k) => Math.round(value + part * (to[k] - value)));
}

/** Draw one thumbnail on its canvas. */
function draw(canvas, entry, numbers, dark) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = WIDTH * ratio;
  canvas.height = HEIGHT * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const theme = dark ? "dark" : "light";
  if (!numbers) return;
  if (entry.way === "sites") return sites(pen, entry.shape, numbers, LOW_HIGH[theme]);
  const x = (k) => MARGIN + (numbers[2 * k] / 255) * (WIDTH - 2 * MARGIN);
  const y = (k) => HEIGHT - MARGIN - (numbers[2 * k + 1] / 255) * (HEIGHT - 2 * MARGIN);
  const count = entry.shape[0];
  if (entry.way === "dots") {
    pen.fillStyle = DOTS[theme];
    for (let k = 0; k < count; k++) pen.fillRect(x(k) - 0.55, y(k) - 0.55, 1.1, 1.1);
    return undefined;
  }
  pen.lineJoin = "round";
  pen.lineWidth = count > 1200 ? 0.6 : 0.8;
  for (let piece = 0; piece < PIECES; piece++) {
    const begin = Math.floor((piece * (count - 1)) / PIECES);
    const end = Math.floor(((piece + 1) * (count - 1)) / PIECES);
    pen.strokeStyle = `rgba(${between(RAMP[theme], piece / (PIECES - 1))}, 0.85)`;
    pen.beginPath();
    pen.moveTo(x(begin), y(begin));
    for (let k = begin + 1; k <= end; k++) pen.lineTo(x(k), y(k));
    pen.stroke();
  }
  return undefined;
}

/** Sites over time as a picture of coloured cells. */
function sites(pen, [rows, columns], numbers, ramp) {
  const image = new ImageData(columns, rows);
  for (let k = 0; k < rows * columns; k++) image.data.set([...between(ramp, numbers[k] / 255), 255], 4 * k);
  const small = document.createElement("canvas");
  [small.width, small.height] = [columns, rows];
  small.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, MARGIN, MARGIN, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN);
}

/** Whether the ground behind an element is dark: JupyterLab says so, else its colour does, else the reader's settings. */
function isDark(element) {
  const lab = document.body.dataset.jpThemeLight;
  if (lab) return lab === "false";
  for (let node = element.parentElement; node; node = node.parentElement) {
    const [red, green, blue, opacity = 1] = getComputedStyle(node).backgroundColor.match(/[\d.]+/g).map(Number);
    if (opacity > 0) return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** An element with a class, attributes and children. */
function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** What kind of system it is, in as few words as a card has room for. */
function kindOf({ dimension, kind }) {
  return kind === "delay" ? "delay system" : `${dimension}-D ${kind}`;
}

/** A name that may break before its capitals. */
function breakable(name) {
  return name.split(/(?<=[a-z])(?=[A-Z])/).flatMap((part, k) => (k ? [document.createElement("wbr"), part] : [part]));
}

/** A card: a button with a picture, and all it shows in words for those who do not see it. */
function cardOf(entry) {
  const exponent = entry.exponent && `largest exponent ${entry.exponent}`;
  const words = [entry.name, entry.title, entry.field, kindOf(entry), entry.regime, exponent];
  const card = make("button", "cl-card", { type: "button", "data-name": entry.name, tabindex: "-1" });
  card.setAttribute("aria-label", words.filter(Boolean).join(", "));
  card.title = [
    entry.about,
    entry.exponent && `\u03bb, the largest Lyapunov exponent: ${entry.exponent} per ${entry.kind === "map" ? "iteration" : "time unit"}`,
    entry.fractal && `Kaplan-Yorke dimension: ${entry.fractal}`,
  ].filter(Boolean).join("\n");
  card.append(make("canvas", "", { "aria-hidden": "true" }), make("b", "", {}, ...breakable(entry.name)));
  if (fold(entry.title) !== fold(entry.name)) card.append(make("span", "cl-title", {}, entry.title));
  card.append(make("span", "", {}, `${entry.field}, ${kindOf(entry)}`));
  card.append(make("span", "", {}, [entry.regime, entry.exponent && `\u03bb ${entry.exponent}`].filter(Boolean).join(", ")));
  return card;
}

function render({ model, el }) {
  const entries = model.get("entries");
  const numbers = split(entries, model.get("pictures"));
  const search = make("input", "", { type: "search", placeholder: "Search: Lorenz, laser, neuron ...", "aria-label": "Search the catalogue" });
  const selects = Object.fromEntries(FILTERS.map((key) => [key, make("select", "", { "aria-label": `Filter by ${key}`, name: key })]));
  const clear = make("button", "", { type: "button" }, "Clear");
  const count = make("div", "cl-wall-count", { role: "status", "aria-live": "polite" });
  const grid = make("div", "cl-wall-grid", { role: "group", "aria-label": "Systems; arrow keys move, Enter opens" });
  const bar = make("div", "cl-wall-bar", { role: "search" }, search, ...Object.values(selects), clear);
  const root = make("div", "cl-wall", {}, make("style", "", {}, STYLE), bar, count, grid);
  const cards = new Map(entries.map((entry) => [entry.name, cardOf(entry)]));
  grid.append(...cards.values());
  el.append(root);

  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  let dark = isDark(el);
  const paint = (card) => draw(card.firstChild, byName.get(card.dataset.name), numbers.get(card.dataset.name), dark);
  const seen = new Set();
  const watch = new IntersectionObserver((changes) => {
    for (const { isIntersecting, target } of changes) {
      if (!isIntersecting || seen.has(target)) continue;
      seen.add(target);
      paint(target);
    }
  }, { root: grid, rootMargin: "200px" });
  for (const card of cards.values()) watch.observe(card);

  const theme = () => {
    const now = isDark(el);
    root.classList.toggle("cl-dark", now);
    if (now !== dark) {
      dark = now;
      seen.forEach(paint);
    }
  };
  const bodyChanges = new MutationObserver(theme);
  bodyChanges.observe(document.body, { attributes: true });
  const settings = matchMedia("(prefers-color-scheme: dark)");
  settings.addEventListener("change", theme);
  requestAnimationFrame(theme); // only now is the element on the page, with a ground behind it

  const wanted = () => ({ text: "", field: "", regime: "", kind: "", dimension: "", ...model.get("wanted") });
  const ask = (changes) => {
    model.set("wanted", { ...wanted(), ...changes });
    model.save_changes();
    show();
  };
  const shown = () => [...grid.children].filter((card) => !card.hidden);
  let sortedBy = "";
  const reach = (card) => {
    for (const other of cards.values()) other.tabIndex = -1;
    if (card) card.tabIndex = 0; // one stop of the Tab key for the whole wall; arrows go on from it
  };
  const open = (name) => model.send({ kind: "open", name });

  function show() {
    const now = wanted();
    if (search.value !== now.text) search.value = now.text;
    for (const [key, select] of Object.entries(selects)) {
      const options = choices(entries, now, key).map(([word, left]) => {
        const option = make("option", "", { value: word }, `${word} (${left})`);
        option.disabled = !left && word !== now[key];
        return option;
      });
      select.replaceChildren(make("option", "", { value: "" }, ALL[key]), ...options);
      select.value = now[key];
      select.classList.toggle("cl-active", Boolean(now[key]));
    }
    for (const entry of entries) cards.get(entry.name).hidden = !matches(entry, now);
    if (now.text !== sortedBy) {
      const places = new Map(entries.map((entry) => [entry, rank(entry, now.text)]));
      grid.append(...[...entries].sort((a, b) => places.get(a) - places.get(b)).map((entry) => cards.get(entry.name)));
      grid.scrollTop = 0;
      sortedBy = now.text;
    }
    const left = shown();
    clear.hidden = !Object.values(now).some(Boolean);
    if (!grid.contains(document.activeElement)) reach(left[0]);
    say(left.length);
  }

  function say(left) {
    const message = model.get("message");
    const guess = left ? "" : nearest(wanted().text, byName.keys());
    const opened = model.get("opened");
    const below = opened && `; ${opened} is open below`;
    const total = (left === entries.length ? `${left} systems` : `${left} of ${entries.length} systems`) + below;
    count.replaceChildren(message || (left ? total : "Nothing matches. "));
    if (message || !guess) return;
    const link = make("button", "", { type: "button" }, guess);
    link.addEventListener("click", () => ask({ text: guess, field: "", regime: "", kind: "", dimension: "" }));
    count.append("Did you mean ", link, "?");
  }

  const mark = () => {
    const opened = model.get("opened");
    root.classList.toggle("cl-open", Boolean(opened)); // a lower wall, so that what opens below is seen
    for (const [name, card] of cards) card.setAttribute("aria-current", String(name === opened));
    const card = cards.get(opened);
    if (card && !card.hidden) {
      const top = card.offsetTop + card.offsetHeight - grid.clientHeight;
      grid.scrollTop = Math.min(Math.max(grid.scrollTop, top), card.offsetTop); // the wall alone: the page stays where it is
    }
    tell();
  };
  const tell = () => say(shown().length);
  search.addEventListener("input", () => ask({ text: search.value }));
  search.addEventListener("keydown", (event) => {
    const [first] = shown();
    if (event.key === "Enter" && first) open(first.dataset.name);
  });
  for (const [key, select] of Object.entries(selects)) select.addEventListener("change", () => ask({ [key]: select.value }));
  clear.addEventListener("click", () => ask({ text: "", field: "", regime: "", kind: "", dimension: "" }));
  grid.addEventListener("click", (event) => {
    const card = event.target.closest(".cl-card");
    if (card) open(card.dataset.name);
  });
  grid.addEventListener("focusin", (event) => reach(event.target.closest(".cl-card")));
  grid.addEventListener("keydown", (event) => {
    const left = shown();
    const row = left.filter((card) => card.offsetTop === left[0].offsetTop).length;
    const here = left.indexOf(document.activeElement);
    const steps = { ArrowRight: here + 1, ArrowLeft: here - 1, ArrowDown: here + row, ArrowUp: here - row, Home: 0, End: left.length - 1 };
    if (!(event.key in steps) || here < 0) return;
    event.preventDefault();
    event.stopPropagation(); // or a notebook would go to another cell
    left[Math.min(Math.max(steps[event.key], 0), left.length - 1)].focus();
  });
  model.on("change:wanted", show);
  model.on("change:opened", mark);
  model.on("change:message", tell);
  show();
  mark();
  return () => {
    watch.disconnect();
    bodyChanges.disconnect();
    settings.removeEventListener("change", theme);
    for (const [name, call] of [["wanted", show], ["opened", mark], ["message", tell]]) model.off(`change:${name}`, call);
  };
}

export default { render };
