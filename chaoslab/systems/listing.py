"""The catalogue as a page of Markdown, made from its files: `python -m chaoslab.systems.listing > docs/catalogue.md`."""

from urllib.parse import quote

import numpy as np

from .catalogue import _bibliography, every_system, table, with_error

KINDS = {"flow": "Flows", "delay": "Delay systems", "map": "Maps"}
HEAD = """# The catalogue

Made from the files by `make catalogue`; do not edit. {count} systems: {flow} flows, {delay} delay systems, {map} maps. A name leads
to its file, a source to its publisher. Sizes such as n = 40 are defaults of families that can be loaded at any size. Periods are
dominant periods in the system's own time unit, measured (`chaoslab/systems/measured.csv` says how); the digit in parentheses is the
error of the last digit shown. To search, press the keys of your browser's search, or call `cl.search("laser")`.
"""
COLUMNS = "| name | what | field | dimension | period | also | source |\n|---|---|---|---|---|---|---|\n"


def listing() -> str:
    """The text of docs/catalogue.md."""
    frame = table()
    counts = {"count": len(frame)} | {kind: int((frame.kind == kind).sum()) for kind in KINDS}
    parts = [HEAD.format(**counts)]
    systems = {system.name: system for system in every_system()}
    for kind, title in KINDS.items():
        rows = [_row(systems[name], row) for name, row in frame[frame.kind == kind].iterrows()]
        parts.append(f"\n## {title}\n\n{COLUMNS}" + "\n".join(rows) + "\n")
    return "".join(parts)


def _row(system, row) -> str:
    path = f"../chaoslab/systems/equations/{system.field}/{system.name.lower()}.toml"
    period = "" if system.kind == "map" else with_error(row.period, row.period_error)
    also = [row.regime] if row.regime != "chaotic" else []
    fixed = any(np.ndim(value) for value in system.parameters.values())  # its arrays come in one size
    also += [row.sizes.replace("=", " = ")] if row.sizes and not fixed else []
    also += [f"{row.conserved} conserved"] if row.conserved else []
    also += ["symmetric"] if row.symmetric else []
    also += ["kinks or jumps"] if not row.smooth else []
    cells = [f"[{system.name}]({path})", system.title, system.field, str(system.dimension), period]
    cells += [", ".join(also), short(system.cite)]
    return "| " + " | ".join(cells) + " |"


def short(key: str) -> str:
    """A source as authors and year, with a link where it has a DOI."""
    entry = _bibliography().entries[key]
    people = [" ".join(person.prelast_names + person.last_names) for person in entry.persons.get("author", [])]
    plain = lambda text: text.replace("{", "").replace("}", "")
    who = people[0] + " et al." if len(people) > 2 else " & ".join(people)
    text = f"{_unicode(who) or plain(entry.fields.get('title', key))} {entry.fields.get('year', '')}".strip()
    return f"[{text}](https://doi.org/{quote(entry.fields['doi'], safe='/')})" if "doi" in entry.fields else text


def _unicode(text: str) -> str:
    from pybtex.richtext import Text

    return str(Text.from_latex(text))


if __name__ == "__main__":
    print(listing(), end="")
