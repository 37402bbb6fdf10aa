// The picture of a bifurcation diagram: points over the parameter, gaps, and the largest exponent beneath.

import { FONT } from "./axes.js";
import { rgb } from "./colours.js";
import { format, ticks } from "./ticks.js";

/** How much one dot covers. */
const COVER = 0.34;

/** One picture, drawn once. */
export class Painting {
  /** @param shown {area, below: rectangles, look: {low, high}, picture, strip, colours, of, density} */
  constructor(shown) {
    Object.assign(this, shown);
  }

  draw(pen) {
    const { area, below, look, picture, strip, colours, of } = this;
    const seen = this.points(), lambda = levels(strip.exponent, strip.complaint);
    const columns = numbers(look.low, look.high, Math.max(2, Math.round((area.right - area.left) / 110)));
    pen.font = `11px ${FONT}`;
    for (const [box, range, wanted] of [[area, seen.range, 6], [below, lambda, 3]]) {
      Object.assign(pen, { fillStyle: colours.soft, textAlign: "right", textBaseline: "middle" });
      for (const { value, text } of range ? numbers(...range, wanted) : []) {
        const y = up(box, range, value);
        line(pen, [[box.left, y], [box.right, y]], colours.grid, 0.6);
        pen.fillText(text, box.left - 7, y);
      }
      pen.textAlign = "center";
      for (const { value, text } of columns) {
        line(pen, [[across(this.area, this.look, value), box.top], [across(this.area, this.look, value), box.bottom]], colours.grid, 0.6);
        if (box === below) pen.fillText(text, across(this.area, this.look, value), box.bottom + 12);
      }
      this.gaps(pen, box, picture.gaps ?? []);
      line(pen, [[box.left, box.top], [box.left, box.bottom], [box.right, box.bottom]], colours.grid, 1);
    }
    this.dots(pen, seen);
    if (lambda) {
      this.curve(pen, lambda);
      if (look.follow) this.aside(pen, below, "of motions from the same state, not of those followed");
    } else this.note(pen, below, strip.complaint || "the largest exponent comes when the diagram is done");
    Object.assign(pen, { fillStyle: colours.ink, textAlign: "center", font: `13px ${FONT}` });
    pen.fillText(of.parameter, (area.left + area.right) / 2, below.bottom + 30);
    upright(pen, of.section && !of.section.includes(" of ") ? `${of.component} at ${of.section}` : of.section || of.component, area);
    upright(pen, "largest exp.", below);
  }

  /** The points within the range: pixels across, values, and the range of values. */
  points() {
    const { picture, look } = this, x = [], y = [];
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < picture.place.length; i++) {
      const value = picture.low + picture.place[i] * (picture.high - picture.low);
      if (value < look.low - 1e-9 * (look.high - look.low) || value > look.high + 1e-9 * (look.high - look.low)) continue;
      for (let j = i * picture.points; j < (i + 1) * picture.points; j++) {
        const one = picture.value[j];
        if (!Number.isFinite(one)) continue;
        x.push(across(this.area, this.look, value));
        y.push(one);
        if (one < low) low = one;
        if (one > high) high = one;
      }
    }
    const air = (high - low) * 0.04 || Math.abs(low) * 0.05 || 1;
    return { x, y, range: low <= high ? [low - air, high + air] : null };
  }

  /** Dots as fine as a pixel, wider where values are far apart; where many fall together it grows dark. */
  dots(pen, { x, y, range }) {
    const { area, picture, look, density } = this;
    if (!range) return;
    const w = Math.round((area.right - area.left) * density), h = Math.round((area.bottom - area.top) * density);
    const share = (picture.high - picture.low) / (look.high - look.low), apart = w * share / Math.max(1, picture.place.length - 1);
    const wide = Math.max(1, Math.min(Math.round(3 * density), Math.round(apart))), tall = Math.max(1, Math.round(density));
    const light = new Float32Array(w * h).fill(1), image = pen.createImageData(w, h), tint = rgb(this.colours.tints[0]);
    for (let k = 0; k < x.length; k++) {
      const column = Math.round((x[k] - area.left) * density - wide / 2);
      const row = Math.round((up(area, range, y[k]) - area.top) * density - tall / 2);
      for (let i = Math.max(0, column); i < Math.min(w, column + wide); i++)
        for (let j = Math.max(0, row); j < Math.min(h, row + tall); j++) light[j * w + i] *= 1 - COVER;
    }
    for (let k = 0; k < light.length; k++) {
      if (light[k] === 1) continue;
      image.data.set(tint, 4 * k);
      image.data[4 * k + 3] = 255 * (1 - light[k]);
    }
    const layer = Object.assign(document.createElement("canvas"), { width: w, height: h });
    layer.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(layer, area.left, area.top, area.right - area.left, area.bottom - area.top);
  }

  /** The exponent: chaos above zero in another colour than order below. */
  curve(pen, range) {
    const { below, strip, colours } = this, zero = up(below, range, Math.max(range[0], Math.min(range[1], 0)));
    const path = [...strip.exponent].map((value, k) => [
      across(this.area, this.look, strip.low + k / (strip.exponent.length - 1) * (strip.high - strip.low)),
      Number.isFinite(value) || value === -Infinity ? up(below, range, Math.min(range[1], Math.max(range[0], value))) : NaN]);
    for (const [tint, top, bottom] of [[colours.tints[1], below.top, zero], [colours.tints[0], zero, below.bottom]]) {
      pen.save();
      pen.beginPath();
      pen.rect(below.left, top, below.right - below.left, bottom - top);
      pen.clip();
      pen.beginPath();
      path.forEach(([x, y], k) => {
        if (!Number.isFinite(y)) return;
        if (!Number.isFinite(path[k - 1]?.[1])) pen.moveTo(x, zero);
        pen.lineTo(x, y);
        if (!Number.isFinite(path[k + 1]?.[1])) pen.lineTo(x, zero);
      });
      Object.assign(pen, { fillStyle: tint, globalAlpha: 0.22 });
      pen.fill();
      pen.globalAlpha = 1;
      line(pen, path, tint, 1, 1.3);
      pen.restore();
    }
    line(pen, [[below.left, zero], [below.right, zero]], colours.soft, 0.8);
  }

  gaps(pen, box, gaps) {
    for (const { from, to, why } of gaps) {
      const left = Math.max(box.left, across(this.area, this.look, from)), right = Math.min(box.right, across(this.area, this.look, to));
      if (right <= left) continue;
      Object.assign(pen, { fillStyle: this.colours.soft, globalAlpha: 0.16 });
      pen.fillRect(left, box.top, right - left, box.bottom - box.top);
      pen.globalAlpha = 1;
      if (box === this.area && pen.measureText(why).width < right - left - 8) this.note(pen, { ...box, left, right }, why);
    }
  }

  /** A remark in the upper left corner of a box. */
  aside(pen, { left, top }, text) {
    Object.assign(pen, { fillStyle: this.colours.ink, strokeStyle: this.colours.ground, lineWidth: 4, lineJoin: "round" });
    Object.assign(pen, { textAlign: "left", textBaseline: "middle", font: `11px ${FONT}` });
    pen.strokeText(text, left + 8, top + 9);
    pen.fillText(text, left + 8, top + 9);
  }

  note(pen, { left, right, top, bottom }, text) {
    Object.assign(pen, { fillStyle: this.colours.soft, textAlign: "center", textBaseline: "middle", font: `11px ${FONT}` });
    pen.fillText(text, (left + right) / 2, (top + bottom) / 2, right - left);
  }
}

/** The pixel of a value of the parameter. */
export function across({ left, right }, { low, high }, value) {
  return left + (value - low) / (high - low) * (right - left);
}

/** From a little below the ordinary exponents to a little above: dips without end are cut off. */
function levels(exponents, complaint) {
  const finite = [...exponents].filter(Number.isFinite).sort((a, b) => a - b);
  if (complaint || !finite.length) return null;
  const top = Math.max(0, finite[finite.length - 1]), dip = finite[Math.floor(finite.length * 0.04)];
  const low = Math.min(0, top > 0 ? Math.max(dip, -1.6 * top) : dip), air = (top - low) * 0.08 || 1;
  return [low - air, top + air];
}

function up({ top, bottom }, [low, high], value) {
  return bottom - (value - low) / (high - low) * (bottom - top);
}

/** Round numbers with their texts; deep in a zoom with as many digits as tell them apart. */
function numbers(low, high, wanted) {
  const found = ticks(low, high, wanted), step = found[1] - found[0] || high - low;
  const fine = step < 1e-4 && Math.max(Math.abs(low), Math.abs(high)) > 100 * step;
  const digits = Math.min(15, Math.ceil(-Math.log10(step) - 1e-9));
  return found.map((value) => ({ value, text: fine ? value.toFixed(digits).replace("-", "−") : format(value, step) }));
}

export function line(pen, points, tint, alpha, width = 1) {
  pen.beginPath();
  points.forEach(([x, y], k) => (Number.isFinite(y) && Number.isFinite(points[k - 1]?.[1]) ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  Object.assign(pen, { strokeStyle: tint, lineWidth: width, globalAlpha: alpha, lineJoin: "round" });
  pen.stroke();
  pen.globalAlpha = 1;
}

function upright(pen, text, { top, bottom }) {
  pen.save();
  pen.translate(12, (top + bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText(text, 0, 0, bottom - top);
  pen.restore();
}
