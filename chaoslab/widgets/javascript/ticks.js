// Round numbers for axes.

/** Round numbers between two ends, about `wanted` of them and at least two, in steps of 1, 2 or 5 times a power of ten. */
export function ticks(low, high, wanted = 5) {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k === 0 ? 0 : k * step);
  return found.length < 2 && wanted < 12 ? ticks(low, high, wanted + 1) : found;
}

/** Powers of ten between two logarithms, thinned to about `wanted`: [{value: the logarithm, text}]. */
export function decades(low, high, wanted = 5) {
  const first = Math.ceil(low - 1e-9), last = Math.floor(high + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / wanted)), found = [];
  for (let k = Math.ceil(first / every) * every; k <= last; k += every) {
    found.push({ value: k, text: k === 0 ? "1" : "10" + superscript(k) });
  }
  return found;
}

/** A number as an axis shows it: short, with a true minus sign. */
export function format(value, step = 0) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    const [digits, power] = value.toExponential().split("e");
    const short = String(Number(Number(digits).toPrecision(3)));
    return (short === "1" ? "" : short === "-1" ? "−" : `${short}·`.replace("-", "−")) + "10" + superscript(Number(power));
  }
  const places = step > 0 ? Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)) : 3;
  return String(Number(value.toFixed(Math.min(places + 1, 6)))).replace("-", "−");
}

function superscript(power) {
  return String(power).replace(/[-\d]/g, (sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]));
}
