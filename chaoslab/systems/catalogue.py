"""The catalogue: find, read, check and list the definitions in `equations/`."""

import gc
import math
import re
import tomllib
import unicodedata
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path

from .language import DefinitionError, suggest
from .system import System
from .tree import walk

FOLDER = Path(__file__).parent / "equations"
MEASURED = Path(__file__).parent / "measured.csv"
REQUIRED = ("name", "title", "about", "cite", "equations", "state")
#: What a file may say of the motion at its own parameters and state; without `regime` it claims chaos of some kind.
REGIMES = ("chaotic", "quasi-periodic", "periodic", "transient chaos")
KEYS = {entry.name for entry in fields(System)} - {"field", "period", "lyapunov_time"} | {"regime"}


def _fold(text: str) -> str:
    """A name without case, accents and separators, by which it is looked up."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    return {path.stem: path for path in sorted(FOLDER.glob("*/*.toml"))}


@cache
def _read(path: Path) -> dict:
    return read_definition(path.read_text(encoding="utf-8"), str(path.relative_to(FOLDER)))


def read_definition(text: str, place: str = "this TOML text") -> dict:
    """The definition in TOML text; raises DefinitionError on a missing or unknown key."""
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{place} is not TOML: {error}") from error
    for key in entry:
        if key not in KEYS:
            raise DefinitionError(f"{place} has the unknown key {key!r}.{suggest(key, KEYS)} Keys are {', '.join(sorted(KEYS))}")
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        raise DefinitionError(f"{place} lacks {', '.join(missing)}; every definition has {', '.join(REQUIRED)}")
    if "regime" in entry and entry["regime"] not in REGIMES:
        given = entry["regime"]
        raise DefinitionError(f"{place} has the regime {given!r}.{suggest(str(given), REGIMES)} Regimes are {', '.join(REGIMES)}")
    return entry


def _find(name: str) -> Path:
    if not isinstance(name, str):
        raise TypeError(f"a system is named by text, as in load('Lorenz'); {type(name).__name__} given")
    files = _files()
    if _fold(name) in files:
        return files[_fold(name)]
    titles = {_fold(_read(path)["title"]): path for path in files.values()}
    if _fold(name) in titles:
        return titles[_fold(name)]
    known = names()
    raise KeyError(f"no system is called {name!r}.{suggest(name, known)} names() lists all {len(known)}")


def names(kind: str | None = None) -> list[str]:
    """The names in the catalogue, sorted; of one kind if given."""
    entries = [_read(path) for path in _files().values()]
    return sorted((e["name"] for e in entries if kind in (None, e.get("kind", "flow"))), key=str.lower)


def load(name: str, **values) -> System:
    """The catalogue's system of that name, at other sizes or parameter values if given.

    Case, accents and separators do not matter. Raises KeyError with the nearest name.

    >>> load("lorenz").dimension
    3
    >>> load("Lorenz96", n=8).dimension
    8
    """
    base = _load(_find(name))
    if not values:
        return base
    sizes = base.sizes
    resized = {key: values.pop(key) for key in list(values) if key in sizes and key not in {*base.parameters, *base.state}}
    if not resized:
        return base.with_(**values)
    entry = _defining(_find(name))
    for key, size in resized.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"the size {key} of {base.label} is a whole number of at least 1; {size!r} given")
    index = {k: {**v, "size": resized.get(v.get("name", "n"), v["size"])} for k, v in entry["index"].items()}
    state = {**(values.pop("state", None) or {}), **{key: values.pop(key) for key in list(values) if key in base.state}}
    choices = [*base.parameters, *base.state, *sizes]
    for key in values:
        if key not in base.parameters:
            raise ValueError(f"{base.label} has no parameter {key!r}.{suggest(key, choices)} It has {', '.join(choices)}")
    parameters = {**entry.get("parameters", {}), **values}
    definition = {**entry, "index": index, "parameters": parameters, "state": {**entry["state"], **state}, "field": base.field}
    advice = "give arrays of the new size, as in load(name, n=8, w=...)"
    try:
        system = System(**definition)
    except DefinitionError as error:
        raise ValueError(f"{base.label} at {resized}: {error}; {advice}") from error
    cut = set(walk(*base.flat.rhs)) - set(walk(*system.flat.rhs))
    for node, (word, _) in zip(system.flat.parameters, system.flat.places, strict=True):
        if node in cut and word not in values:
            raise ValueError(f"{base.label} at {resized} would use only a part of {word}; {advice}")
    return system


def _defining(path: Path) -> dict:
    """What the file says of the system itself; its regime belongs to its own parameters and state alone."""
    return {key: value for key, value in _read(path).items() if key != "regime"}


def claimed_regime(name: str) -> str:
    """What a system's file says of the motion at its own parameters and state."""
    return _read(_find(name)).get("regime", REGIMES[0])


def as_system(system: System | str, asking: str) -> System:
    """The System that is given, or the catalogue's of that name; `asking` is the function that the error names."""
    if isinstance(system, str):
        return load(system)
    if not isinstance(system, System):
        raise TypeError(f"{asking}() takes a System or a name such as 'Lorenz'; {type(system).__name__} given")
    return system


@cache
def _load(path: Path) -> System:
    entry = _defining(path)
    try:
        known = measurements().get(entry["name"], {})
        period = 1.0 if entry.get("kind") == "map" else _number(known, "period")
        return System(**entry, field=path.parent.name, period=period, lyapunov_time=_number(known, "lyapunov_time"))
    except DefinitionError as error:
        raise DefinitionError(f"{path.relative_to(FOLDER)}: {error}") from error


@lru_cache(maxsize=1)
def measurements() -> dict[str, dict[str, dict[str, str]]]:
    """The rows of measured.csv by system and quantity."""
    found: dict[str, dict] = {}
    for row in measured():
        found.setdefault(row["system"], {})[row["quantity"]] = row
    return found


def _number(known: dict, quantity: str, column: str = "value") -> float | None:
    """A value, or its error, None where it was not measured."""
    text = known[quantity][column] if quantity in known else ""
    return float(text) if text else None


def findings(system: System) -> str:
    """What was measured of the catalogue's system of that name, as a line of text; empty if this is not the same system."""
    known = measurements().get(system.name, {})
    if not known or system != load(system.name):
        return ""
    words = {"largest_exponent": "largest exponent", "kaplan_yorke_dimension": "Kaplan-Yorke dimension"}
    parts = [f"{words[key]} {value_of(known, key)}" for key in words if key in known]
    return ", ".join(([known["regime"]["value"]] if "regime" in known else []) + parts)


def value_of(known: dict, quantity: str) -> str:
    """A measured quantity as text, with the error of its last digit; empty if it was not measured."""
    value = _number(known, quantity)
    return "" if value is None else with_error(value, _number(known, quantity, "error") or 0.0)


def with_error(value: float, error: float) -> str:
    """A value with its error in the last digit shown: 0.791(3); six digits of it where rounding is all its error.

    >>> with_error(0.790676, 0.0027), with_error(608.7, 120), with_error(8.44, 14), with_error(1.2345678, 0)
    ('0.791(3)', '600(100)', '10(10)', '1.23457')
    """
    if not error > max(1e-6 * abs(value), 1e-12):
        return f"{value:.6g}"
    place = math.floor(math.log10(error))
    digits = round(error / 10.0**place)
    place, digits = (place + 1, 1) if digits == 10 else (place, digits)
    if place >= 0:
        return f"{round(value / 10**place) * 10**place:.0f}({digits * 10**place})"
    return f"{value:.{-place}f}({digits})"


def measured() -> list[dict[str, str]]:
    """The rows of measured.csv: system, quantity, value, error, method, settings, seed, version, date."""
    import csv

    if not MEASURED.exists():
        return []
    with MEASURED.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def every_system() -> list[System]:
    """Every system of the catalogue, read and validated, in the order of the files."""
    collecting = gc.isenabled()
    gc.disable()  # it would go through all the trees again and again, and find them in use
    try:
        return [_load(path) for path in _files().values()]
    finally:
        if collecting:
            gc.enable()


def table(**only):
    """The catalogue as a pandas frame indexed by name, one row a system; keep rows by value, as in `table(kind="map")`.

    Columns: title, kind, field, dimension, parameters (their number); what was measured at the file's own parameters and state,
    with standard errors: period, largest_exponent, kaplan_yorke_dimension, correlation_dimension; ordinal_entropy and
    statistical_complexity of the first component; and the regime (as the file claims where it has not been measured); smooth,
    conserved, symmetric, sizes, key of the source.

    >>> int(table(kind="flow", dimension=3).loc["Lorenz", "parameters"])
    3
    """
    import pandas as pd

    rows = []
    for system in every_system():
        known = measurements().get(system.name, {})
        rows.append(
            {
                "name": system.name,
                "title": system.title,
                "kind": system.kind,
                "field": system.field,
                "dimension": system.dimension,
                "parameters": len(system.parameters),
                "period": system.period,
                "period_error": 0.0 if system.kind == "map" else _number(known, "period", "error"),
                "largest_exponent": _number(known, "largest_exponent"),
                "largest_exponent_error": _number(known, "largest_exponent", "error"),
                "kaplan_yorke_dimension": _number(known, "kaplan_yorke_dimension"),
                "kaplan_yorke_dimension_error": _number(known, "kaplan_yorke_dimension", "error"),
                "correlation_dimension": _number(known, "correlation_dimension"),
                "correlation_dimension_error": _number(known, "correlation_dimension", "error"),
                "ordinal_entropy": _number(known, "ordinal_entropy"),
                "statistical_complexity": _number(known, "statistical_complexity"),
                "regime": known["regime"]["value"] if "regime" in known else claimed_regime(system.name),
                "smooth": system.smooth,
                "conserved": ", ".join(system.conserved),
                "symmetric": bool(system.symmetry),
                "sizes": ", ".join(f"{k}={v}" for k, v in system.sizes.items()),
                "cite": system.cite,
            }
        )
    frame = pd.DataFrame(rows).set_index("name").sort_index(key=lambda index: index.str.lower())
    for key, value in only.items():
        if key not in frame.columns:
            raise ValueError(
                f"the table has no column {key!r}.{suggest(key, frame.columns)} Columns are {', '.join(frame.columns)}"
            )
        frame = frame[frame[key].isin(value if isinstance(value, list | tuple | set) else [value])]
    return frame


def search(text: str):
    """The table's rows whose name, title, description, field or source mention the text."""
    frame = table()
    wanted = _fold(text)
    if not wanted:
        raise ValueError("search for a word, as in search('fluid')")
    everything = {
        system.name: " ".join([system.name, system.title, system.about, system.field, system.reference, system.note])
        for system in every_system()
    }
    return frame[[wanted in _fold(everything[name]) for name in frame.index]]


@lru_cache(maxsize=1)
def _bibliography():
    from pybtex.database import parse_file

    return parse_file(str(Path(__file__).parent / "references.bib"), "bibtex")


@cache
def reference(key: str) -> str:
    """The line of text that names a source, from its key in references.bib."""
    from pybtex.backends.plaintext import Backend
    from pybtex.style.formatting.plain import Style

    library = _bibliography()
    if key not in library.entries:
        return key
    [entry] = list(Style().format_entries([library.entries[key]]))
    return " ".join(entry.text.render(Backend()).split())
