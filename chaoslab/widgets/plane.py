"""A plane within the cube that a picture fills."""

from itertools import product

import numpy as np

#: Lines that are drawn across the plane.
LINES = 14


def outline(normal, level: float, *, flat: bool = False) -> np.ndarray:
    """The part of the plane normal . x = level that lies in the cube [-1, 1]^3, as one path (point, 3) around and across it.

    Empty where the plane misses the cube. In a `flat` picture the cube is a square, and the plane a line.

    >>> outline([0, 0, 1], 0.5)[:5].tolist()
    [[-1.0, -1.0, 0.5], [1.0, -1.0, 0.5], [1.0, 1.0, 0.5], [-1.0, 1.0, 0.5], [-1.0, -1.0, 0.5]]
    """
    normal = np.asarray(normal, float)
    corners = _corners(normal, level)
    if len(corners) < 3:
        return np.zeros((0, 3))
    if flat:
        line = np.unique(np.round(corners * [1, 1, 0], 12), axis=0)
        return line[[0, -1]]
    return np.concatenate([corners, corners[:1], *_across(corners)])


def _corners(normal: np.ndarray, level: float) -> np.ndarray:
    """Where the plane meets the edges of the cube, once round."""
    found = []
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        if abs(normal[axis]) < 1e-12 * np.abs(normal).max():
            continue
        for ends in product((-1.0, 1.0), repeat=2):
            point = np.zeros(3)
            point[others] = ends
            point[axis] = (level - normal[others] @ ends) / normal[axis]
            if abs(point[axis]) <= 1 + 1e-12:
                found.append(point)
    if len(found) < 3:
        return np.zeros((0, 3))
    found = np.unique(np.round(found, 12), axis=0)
    first, second = _within(normal)
    about = found - found.mean(axis=0)
    return found[np.argsort(np.arctan2(about @ second, about @ first), kind="stable")]


def _within(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two directions within the plane, at right angles, along axes where there is one."""
    axis = int(np.abs(normal).argmax())
    first = np.eye(3)[(axis + 1) % 3]
    first = first - normal * (first @ normal) / (normal @ normal)
    first /= np.linalg.norm(first)
    second = np.cross(normal / np.linalg.norm(normal), first)
    return first, second


def _across(corners: np.ndarray) -> list[np.ndarray]:
    """Parallel lines across a convex polygon, each apart from the last by a point that is not drawn."""
    way = corners[1] - corners[0]
    side = np.cross(np.cross(way, corners[2] - corners[1]), way)
    heights = corners @ side
    closed, found = np.vstack([corners, corners[:1]]), []
    for level in np.linspace(heights.min(), heights.max(), LINES + 2)[1:-1]:
        above = closed @ side - level
        ends = []
        for k in np.flatnonzero(above[:-1] * above[1:] < 0):
            share = above[k] / (above[k] - above[k + 1])
            ends.append(closed[k] + share * (closed[k + 1] - closed[k]))
        if len(ends) == 2:
            found += [np.full((1, 3), np.nan), np.array(ends)]
    return found
