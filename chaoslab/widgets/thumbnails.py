"""Small pictures of the catalogue's systems: `python -m chaoslab.widgets.thumbnails [NAME ...]` draws them anew.

Each is what the gallery shows, in so few points of a square of 256 by 256 that all of them go through the notebook at once. A
run over all resumes: what has been drawn is stored as soon as it is there.
"""

import argparse
import base64
import datetime
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..figures.gallery import portrait
from ..sweep import sweep
from ..systems import load, names
from ..trajectories.record import defined, digest
from ..trajectories.schema import package_version

FILE = Path(__file__).parent / "thumbnails.npz"
COMMAND = "python -m chaoslab.widgets.thumbnails"
STORE = Path("thumbnails.sqlite")
#: A flow's trajectory, in periods and samples a period; what is kept of it is shorter where it winds so much that it needs more
#: points than these for chords that lie off it by about half a pixel.
PERIODS, SAMPLES, POINTS, CHORD = 30, 200, 1600, np.sqrt(8 * 0.5 / 256)
#: Dots of a map; rows and columns of sites over time.
DOTS, SITES = 1200, (40, 60)
WAYS = ("line", "dots", "sites")


class Thumbnail(NamedTuple):
    """A picture in whole numbers from 0 to 255: points (point, axis) of a line or of dots, or values (site, time)."""

    way: str
    points: np.ndarray
    definition: str


@lru_cache(maxsize=1)
def thumbnails() -> dict[str, Thumbnail]:
    """The pictures that are there, by name, each with the `digest` of the definition it was drawn from."""
    if not FILE.exists():
        return {}
    with np.load(FILE, allow_pickle=False) as file:
        columns = [file[key] for key in ("names", "ways", "definitions", "shapes")]
        flat = file["points"]
    found, end = {}, 0
    for name, way, definition, shape in zip(*columns, strict=True):
        begin, end = end, end + int(np.prod(shape))
        points = np.cumsum(flat[begin:end].reshape(shape[::-1]), axis=1, dtype=np.uint8).T
        found[str(name)] = Thumbnail(str(way), points, str(definition))
    return found


def draw(name: str, definition: str) -> dict:
    """The cell of the sweep: one system's picture, its points as text."""
    way, points = portrait(defined(name, definition), PERIODS, SAMPLES)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        raise ValueError(f"{name} leaves no two points to draw")
    picture = {"line": line, "dots": dots, "sites": sites}[way](points)
    return {"way": way, "shape": picture.shape, "points": base64.b64encode(picture.tobytes()).decode()}


def line(points: np.ndarray) -> np.ndarray:
    """The points of a curve (point, axis) that say most of it, in the unit square.

    A chord of length h lies off the curve by curvature * h**2 / 8, so the points are dense as the root of the curvature.
    """
    square = unit(points)
    step = np.diff(square, axis=0)
    length = np.hypot(*step.T)
    turn = np.abs(np.angle(np.exp(1j * np.diff(np.arctan2(step[:, 1], step[:, 0])))))
    weight = np.sqrt(length[1:] * turn) + 0.1 * length[1:]  # a straight stretch keeps some points too
    place = np.concatenate([[0.0, 0.0], np.cumsum(weight)])
    kept = np.searchsorted(place, np.arange(0, min(place[-1], POINTS * CHORD), CHORD))
    return pixels(unit(square[np.unique(kept)]))


def dots(points: np.ndarray) -> np.ndarray:
    """The first different places that a map's iterates visit, sorted: no ink is spent on the same place twice."""
    _, first = np.unique(pixels(unit(points)), axis=0, return_index=True)
    return np.unique(pixels(unit(points[np.sort(first)[:DOTS]])), axis=0)  # in a file, neighbours take less room


def sites(values: np.ndarray) -> np.ndarray:
    """Values (time, site) as (site, time) about their median, which becomes 128; at most 40 by 60 of them."""
    rows, columns = (min(size, most) for size, most in zip(values.T.shape, SITES, strict=True))
    take = lambda count, size: np.linspace(0, size - 1, count).round().astype(int)
    small = values.T[np.ix_(take(rows, values.shape[1]), take(columns, values.shape[0]))]
    reach = np.abs(small - np.median(small)).max() or 1.0
    return np.round(127.5 + 127.5 * (small - np.median(small)) / reach).astype(np.uint8)


def unit(points: np.ndarray) -> np.ndarray:
    """Points (point, axis) moved and scaled into the unit square; an axis that stands still is in its middle."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.where(high > low, (points - low) / np.where(high > low, high - low, 1.0), 0.5)


def pixels(square: np.ndarray) -> np.ndarray:
    return np.round(255 * square).astype(np.uint8)


def write(found: dict[str, Thumbnail]) -> None:
    """Replace the file in one step; it holds differences between neighbouring points, which take less room."""
    order = sorted(found, key=str.lower)
    kept = [found[name] for name in order]
    columns = {
        "names": np.array(order),
        "ways": np.array([one.way for one in kept]),
        "definitions": np.array([one.definition for one in kept]),
        "shapes": np.array([one.points.shape for one in kept]),
        "points": np.concatenate([np.diff(one.points.T, prepend=np.uint8(0)).ravel() for one in kept]),  # modulo 256
        "command": np.array(COMMAND),
        "version": np.array(f"chaoslab {package_version()}"),
        "date": np.array(datetime.date.today().isoformat()),
    }
    new = FILE.with_suffix(".new.npz")
    np.savez_compressed(new, **columns)
    os.replace(new, FILE)
    thumbnails.cache_clear()


def main(wanted: list[str], *, store: Path | None = None, workers: int | None = None) -> int:
    """Draw the named systems, keeping the other pictures, or all; returns the number of failures."""
    passing = store is None and not wanted
    cells = [{"name": system.name, "definition": digest(system)} for system in map(load, wanted or names())]
    results = sweep(draw, cells, store=STORE if passing else store, version=package_version(), workers=workers, retry=True)
    read = lambda row: np.frombuffer(base64.b64decode(row["points"]), np.uint8).reshape(row["shape"])
    drawn = {row["name"]: Thumbnail(row["way"], read(row), row["definition"]) for row in results.rows}
    known = set(names())
    write({name: one for name, one in thumbnails().items() if name in known} | drawn)
    for row in results.failed:
        print(f"{row['name']}: {row['failure']}", file=sys.stderr)
    if passing and not results.failed:
        STORE.unlink()  # all of it is in the file now, and the next run is to draw anew
    return len(results.failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="systems to draw; all without a name")
    parser.add_argument("--store", type=Path, help=f"where finished pictures are kept; without names {STORE}, removed at the end")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    given = parser.parse_args()
    sys.exit(min(main(given.names, store=given.store, workers=given.workers), 1))
