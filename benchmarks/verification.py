"""Exponents side by side: ours with their errors, the published ones, the peer's. `python benchmarks/verification.py`
writes docs/exponents.md from measured.csv, tests/published.toml, tests/peer.json and results/lyapunov.json; it measures nothing.
"""

import json
import math
import tomllib
from pathlib import Path

import numpy as np

import chaoslab as cl
from chaoslab.systems.catalogue import measurements, value_of, with_error

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "exponents.md"
COMPARED = ROOT / "benchmarks" / "results" / "lyapunov.json"
HEAD = """# Exponents, and what others say they are

Made by `make exponents`; do not edit. Lyapunov exponents (natural logarithm, per unit of the system's time, of a map per iteration)
and Kaplan-Yorke dimensions. Ours have the standard error of the last digit in parentheses; `chaoslab/systems/measured.csv` says how
they were measured, and `make measure` repeats it.

## The catalogue

At each system's own parameters and state. Published values for the same setting stand as printed, in our units where the source has
others. dysts 0.96 ships two values, where the equations and parameters there are the same: a largest exponent, and after it the
first of a spectrum. {summary}

| system | regime | largest exponent | published | dysts | dimension | published | dysts |
|---|---|---|---|---|---|---|---|
"""
SECOND = """
## Published spectra

{count} published spectra, each measured at the setting it was published for ({agree} agree within 1 %, or three errors and what
the print leaves open, whichever is larger). The worst difference is in parts of that. A source in italics we have from memory or
second-hand.

| system | changed | ours | published | worst | source |
|---|---|---|---|---|---|
"""
THIRD = """
## Why some differ

"""


def published() -> list[dict]:
    """The entries of published.toml, each with its `exponents` in our units to the base e, and the `resolution` of their print."""
    entries = tomllib.loads((ROOT / "tests" / "published.toml").read_text(encoding="utf-8"))["entry"]
    for entry in entries:
        factor = entry.get("time_factor", 1) * (math.log(2) if entry.get("logarithm") == 2 else 1)
        entry["exponents"] = [float(text) * factor for text in entry["printed"]]
        entry["resolution"] = [_half_a_digit(text) * factor for text in entry["printed"]]
    return entries


def _half_a_digit(text: str) -> float:
    """What print leaves open: half of the last digit; a bare 0 is exact."""
    mantissa, _, power = text.partition("e")
    return 0.0 if text == "0" else 0.5 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


def at_our_own_setting(entries: list[dict]) -> dict[str, dict]:
    """The first entry of each system at its file's parameters and state, formulas before others."""
    found: dict[str, dict] = {}
    for entry in sorted(entries, key=lambda entry: entry["kind"] != "analytic"):
        if not entry.get("parameters") and "state" not in entry:
            found.setdefault(entry["system"], entry)
    return found


def page() -> str:
    """The text of docs/exponents.md."""
    peer = json.loads((ROOT / "tests" / "peer.json").read_text(encoding="utf-8"))["exponents"]
    changed = set(tomllib.loads((ROOT / "tests" / "peer_differences.toml").read_text(encoding="utf-8")))
    known, rows = at_our_own_setting(published()), measurements()
    lines, off = [], {"largest": [], "spectrum": []}
    for name in cl.names():
        own, entry = rows.get(name, {}), known.get(name, {})
        theirs = peer.get(name, {}) if name not in changed else {}
        if "largest_exponent" not in own:
            continue
        values = {"largest": theirs.get("largest"), "spectrum": max(theirs.get("spectrum") or [math.nan])}
        values = {key: value for key, value in values.items() if value is not None and math.isfinite(value)}
        for key in values if "lyapunov_time" in own else ():
            off[key].append(abs(values[key] / float(own["largest_exponent"]["value"]) - 1))
        cells = [name, own["regime"]["value"], value_of(own, "largest_exponent")]
        cells += [f"{entry['exponents'][0]:.6g} ({entry['source']})" if entry.get("exponents") else ""]
        cells += ["; ".join(f"{value:.4g}" for value in values.values())]
        cells += [value_of(own, "kaplan_yorke_dimension"), f"{entry['kaplan_yorke']:g}" if "kaplan_yorke" in entry else ""]
        cells += [f"{theirs['kaplan_yorke']:.4g}" if "kaplan_yorke" in theirs else ""]
        lines.append(_row(cells))
    return HEAD.format(summary=_summary(off)) + "\n".join(lines) + "\n" + _published_part()


def _summary(off: dict[str, list[float]]) -> str:
    texts = []
    for key, word in (("largest", "largest exponent"), ("spectrum", "first of a spectrum")):
        found = np.array(off[key])
        if len(found):
            far, few = np.mean(found > 0.5), np.mean(found < 0.01)
            how = f"off by {np.median(found):.0%} in the median, by more than half in {far:.0%}, and right to 1 % in {few:.0%}"
            texts.append(f"Of {len(found)} chaotic systems its {word} is {how}.")
    return " ".join(texts)


def _published_part() -> str:
    if not COMPARED.exists():
        return ""
    compared = json.loads(COMPARED.read_text(encoding="utf-8"))["published"]
    lines, reasons = [], []
    for line in compared:
        cells = [line["system"], ", ".join(f"{key} = {value}" for key, value in line["changed"].items())]
        source = line["source"] if line["confidence"] == "high" else f"*{line['source']}*"
        worst = f"{line['worst']:.2g}" if line["worst"] <= 1 else f"**{line['worst']:.2g}**"
        ours = ", ".join(with_error(value, error) for value, error in zip(line["ours"], line["errors"], strict=True))
        lines.append(_row([*cells, ours, ", ".join(f"{value:.6g}" for value in line["published"]), worst, source]))
        if line["worst"] > 1:
            reasons.append(f"- {line['system']} ({line['source']}): {line['note']}\n")
    agree = sum(line["worst"] <= 1 for line in compared)
    text = SECOND.format(count=len(compared), agree=agree) + "\n".join(lines) + "\n"
    return text + (THIRD + "".join(reasons) if reasons else "")


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
