"""Equations as MathML, which every browser typesets by itself, with places for the parameters' current values."""

import re
import xml.etree.ElementTree as xml
from collections.abc import Iterable, Iterator

import numpy as np

from ..systems import System
from ..systems.latex import rows, symbol

#: A parameter's place is written as a number that no equation has: the typesetter then sets dots and spaces as for a number.
MARK, MARKED = 730_000_000_000, re.compile(r"730000\d{6}")
#: Names of functions, and what makes a formula taller than a line.
WORD, TALL = re.compile(r"(?!mod$)[A-Za-z]{2,}\d?"), {"mfrac", "mtable", "munder", "msqrt"}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: MathML Core leaves alignment to style sheets; a page's own may not be ours.
SIDES = ("text-align: right", "text-align: center; padding-inline: 0.3em", "text-align: left")
ROW = "padding-block: 0.25em"


def mathml(system: System, *, values: bool = True) -> str:
    """The equations as a `<math>` element, with parameters' values in them or, with `values=False`, their symbols.

    With values each scalar parameter is `<mn class="cl-parameter" data-parameter="rho">28</mn>`, and a page that puts another
    number there writes it as `number` does; one with `data-alone` stands where a minus needs no parentheses. Arrays keep their
    symbols.
    """
    scalars = [word for word, value in system.parameters.items() if np.ndim(value) == 0]
    marks = {word: str(MARK + k) for k, word in enumerate(scalars)} if values else {}
    name_of = lambda word: marks.get(word) or symbol(word)
    blocks = rows(system.kind, system.equations, system.where, system.index, system.noise, name_of)
    table = xml.Element("mtable", displaystyle="true")
    for k, block in enumerate(filter(None, blocks)):
        if k:
            _row(table, [_token("mtext", "where")], [], [])
        for left, right in block:
            _row(table, _read(left), [_token("mo", "=")], _read(right))
    for word, mark in marks.items():
        for place in [place for place in table.iter("mn") if place.text == mark]:
            place.attrib = {"class": "cl-parameter", "data-parameter": word, **place.attrib}
            place.text = number(system.parameters[word], alone="data-alone" in place.attrib)
    math = xml.Element("math", display="block")
    math.append(table)
    return xml.tostring(math, encoding="unicode")


def inline(latex: str) -> str:
    """A piece of the package's LaTeX as a `<math>` element in a line of text, as for the symbol beside a slider.

    >>> inline(symbol("sigma"))
    '<math><mi>σ</mi></math>'
    """
    math = xml.Element("math")
    math.extend(_read(latex))
    return xml.tostring(math, encoding="unicode")


def number(value: float, *, alone: bool = False) -> str:
    """A value as it stands in a formula: six digits, powers of ten typeset, a negative one in parentheses unless `alone`.

    >>> number(8 / 3), number(-2.5), number(1e-7), number(-2.5, alone=True)
    ('2.66667', '(−2.5)', '10⁻⁷', '−2.5')
    """
    mantissa, _, exponent = f"{float(value) + 0.0:.6g}".partition("e")
    if exponent:
        power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
        mantissa = {"1": power, "-1": "-" + power}.get(mantissa, f"{mantissa}·{power}")
    text = mantissa.replace("-", "−")
    return f"({text})" if value < 0 and not alone else text


def _row(table: xml.Element, *cells: list[xml.Element]) -> None:
    row = xml.SubElement(table, "mtr")
    for cell, side in zip(cells, SIDES, strict=True):
        xml.SubElement(row, "mtd", style=f"{side}; {ROW}").extend(cell)


def _token(tag: str, text: str) -> xml.Element:
    element = xml.Element(tag)
    element.text = text
    return element


def _read(latex: str) -> list[xml.Element]:
    """The elements of a formula without line breaks, mended where the converter's MathML is not what browsers expect."""
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise ImportError("typeset equations need latex2mathml: pip install latex2mathml") from error
    latex = latex.replace(r"\operatorname{", r"\mathrm{")  # it loses names with digits, such as atan2
    math = xml.fromstring(convert(latex, display="block").replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
    _mend(math)
    [row] = math
    return list(row) if row.tag == "mrow" else [row]


def _mend(parent: xml.Element) -> None:
    for child in parent:
        _mend(child)
    bare = [child[0] if child.tag == "mrow" and len(child) == 1 else child for child in _words(parent)]
    parent[:] = _spaced(bare)
    for place, child in enumerate(parent):
        if child.tag == "mtd":
            child.attrib = {"style": f"text-align: left; padding-inline-end: {0 if place else 1}em; {ROW}"}
        elif child.tag == "mover":
            child.set("accent", "true")
        elif child.get("fence") and not any(inner.tag in TALL for inner in parent.iter()):
            child.set("stretchy", "false")  # without a font for mathematics a browser stretches too much
        elif child.tag == "mn" and MARKED.fullmatch(child.text) and _alone(parent, place):
            child.set("data-alone", "")


def _spaced(children: Iterable[xml.Element]) -> Iterator[xml.Element]:
    """The children, with functions' names as identifiers, apart from the factor before them."""
    before = None
    for child in children:
        if child.text in ("·", "⋅"):
            child.tag, child.text = "mo", "·"  # older versions of the converter take it for a name
        if child.tag in ("mi", "mo") and WORD.fullmatch(child.text):
            child.tag = "mi"  # an operator would keep its distance on both sides
            if before is not None and before.tag not in ("mo", "mspace"):
                yield xml.Element("mspace", width="0.167em")
        yield child
        before = child


def _words(parent: xml.Element) -> Iterator[xml.Element]:
    """The children, with upright letters and digits joined to the words they spell."""
    last = None
    for child in list(parent):
        upright = child.tag == "mi" and child.get("mathvariant") == "normal"
        if last is not None and (upright or child.tag == "mn"):
            last.text += child.text
            last.attrib.pop("mathvariant", None)  # an identifier of several letters is upright anyway
            continue
        last = child if upright else None
        yield child


def _alone(parent: xml.Element, place: int) -> bool:
    """Whether nothing stands before a number that its minus could be read with, and no power above it."""
    before = parent[place - 1] if place else None
    if before is not None:
        return before.tag == "mo" and (before.get("form") == "prefix" or before.text in ("=", ","))
    return parent.tag in ("mrow", "math", "mtd", "mfrac", "msqrt")
