"""Whole-number exponents that are parameters, put into the text before it is compiled.

A general power is exp(n log x), which has no value at x < 0; a whole one is a product, and has.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..systems.language import LARGEST_POWER
from ..systems.tree import Node, number, rewrite, walk
from ..systems.unroll import Flat


def with_whole_powers(flat: Flat, values: np.ndarray) -> Flat:
    """The equations with exponents as numbers where all rows of `values` (..., parameter) agree on a whole one."""
    places = _exponents(flat)
    if not places:
        return flat
    columns = np.atleast_2d(values)[:, places]
    whole = (columns == columns[0]).all(axis=0) & (columns[0] == np.round(columns[0])) & (np.abs(columns[0]) <= LARGEST_POWER)
    put_in = tuple((flat.parameters[place], int(columns[0, k])) for k, place in enumerate(places) if whole[k])
    return _with(flat, put_in) if put_in else flat


@lru_cache(maxsize=512)
def _exponents(flat: Flat) -> list[int]:
    """The places of parameters that stand alone in an exponent."""
    powers = {node.args[1] for node in walk(*flat.rhs) if node.head == "**"}
    return [place for place, node in enumerate(flat.parameters) if node in powers]


@lru_cache(maxsize=512)
def _with(flat: Flat, put_in: tuple[tuple[Node, int], ...]) -> Flat:
    exponents = {node: number(value) for node, value in put_in}

    def rule(node: Node) -> Node:
        if node.head == "**" and node.args[1] in exponents:
            return Node("**", node.args[0], exponents[node.args[1]])
        return node

    return replace(flat, rhs=tuple(rewrite(flat.rhs, rule)))
