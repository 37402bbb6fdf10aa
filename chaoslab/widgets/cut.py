"""An attractor cut by a surface: crossings, return map and return times as a page draws them."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr

from ..invariants import poincare_section, return_map
from ..invariants.sections import surface_of
from ..systems import as_system
from ..systems.emit import numpy_function
from ..trajectories import simulate
from ..trajectories.grid import whole
from ..trajectories.schema import system_of
from .axes import clocks
from .exact import picture
from .plane import outline
from .recipe import recipe

#: Crossings at rest and while the plane moves, of a delay system by so much fewer; periods without one after which it counts as
#: never crossed.
CROSSINGS, FEW, SLOW, PATIENCE = 3000, 400, 10, 200
#: Periods of the attractor that are drawn.
PERIODS = 60
#: How far beyond the motion the plane can be dragged, in its range.
BEYOND = 0.05
#: A distribution more skew than this has its middle far from where the motion turns.
SKEW = 1.0
WAYS = {"upwards": 1, "downwards": -1, "both ways": 0}
TIME = "return_time"
BINS = 60


class Sections:
    """An attractor and the surfaces it is cut with."""

    def __init__(self, motion, along: str | None, crossings: int):
        self.system = (
            system_of(motion, 0 if "parameters" in getattr(motion, "coords", ()) else None)
            if isinstance(motion, xr.Dataset)
            else as_system(motion, "section")
        )
        system = self.system
        if system.kind == "map":
            raise ValueError(f"{system.label} is a map, whose iterates are a section already; widgets.explore() shows them")
        if system.dimension == 1 and system.kind == "flow":
            raise ValueError(f"{system.label} is a flow of one component, which never comes back; a section needs two at least")
        if system.noise:
            raise ValueError(f"{system.label} is moved by noise, which crosses a surface infinitely often at every passage")
        slow = SLOW if system.kind == "delay" else 1
        self.title, self.few = system.title or system.label, FEW // slow
        self.crossings = CROSSINGS // slow if crossings is None else whole(crossings, "crossings")
        self.recipe = recipe(system)
        self.system = system = replace(system, period=self.recipe["period"])
        self.initial, self.transient = self._settled(motion)
        states, self.times = self._orbit()
        self.low, self.high = states.min(axis=0), states.max(axis=0)
        self.states = states
        self.turning = set(np.array(system.components)[clocks(system) | np.array(self.recipe["phases"])])
        words = [*system.components, *([along] if along is not None and along not in system.components else [])]
        self.ranges = {word: self._range(word) for word in words}
        self.ranges = {word: found for word, found in self.ranges.items() if found is not None}
        self.first = self._first()
        self.drawn = None

    def _settled(self, motion):
        """Where crossings are followed from, and the periods that are dropped before."""
        if isinstance(motion, xr.Dataset) and self.system.kind == "delay":
            return motion.isel(member=[0]), 0.0
        if isinstance(motion, xr.Dataset):
            last = motion["state"].isel(member=0, time=-1).values
            if not np.isfinite(last).all():
                raise ValueError(
                    f"the trajectory of {self.system.label} ends before its last sample, so there is nothing to follow on from"
                )
            return last, 0.0
        return None, self.recipe["transient"]

    def _orbit(self) -> tuple[np.ndarray, np.ndarray]:
        periods = min(self.recipe["periods"], PERIODS)
        ds = simulate(self.system, periods=periods, samples=self.recipe["samples"], initial=self.initial, transient=self.transient)
        states, times = ds["state"].values[0], ds["time"].values
        good = np.isfinite(states).all(axis=1)
        if good.sum() < 2:
            raise ValueError(f"the motion of {self.system.label} ends at once, so there is nothing to cut")
        if good.all():  # on the attractor: nothing is to be dropped any more
            self.initial, self.transient = ds if self.system.kind == "delay" else states[-1], 0.0
        return states[good], times[good]

    def _first(self) -> str:
        """The surface of the first picture: once a turn of a forcing, or a component that swings about its middle."""
        turning = [word for word in self.ranges if word in self.turning]
        if turning:
            return turning[0]
        names = list(self.system.components)[:3]
        swing = [abs(((row - row.mean()) ** 3).mean()) / (row.std() ** 3 or 1.0) for row in self.states.T[:3]]
        return next(
            (word for word, skew in list(zip(names, swing, strict=True))[::-1] if skew < SKEW and word in self.ranges), names[0]
        )

    def surface(self, along: str, height: float) -> str:
        """The surface as `poincare_section` reads it."""
        return f"sin({along} - ({height!r})) = 0" if along in self.turning else f"{along} = {height!r}"

    def _range(self, along: str) -> dict | None:
        """How far the slider goes, and where it begins; None for a component that rests."""
        if along in self.turning:
            return {"low": 0.0, "high": 6.28, "step": 0.02, "value": 0.0}
        values = self.values(along)
        low, high = float(values.min()), float(values.max())
        if not high > low:
            return None
        width = high - low
        step = 10.0 ** np.floor(np.log10(width / 200))
        start = round(float(values.mean()) / (10 * step)) * 10 * step
        return {"low": low - BEYOND * width, "high": high + BEYOND * width, "step": float(step), "value": float(f"{start:.12g}")}

    def values(self, along: str) -> np.ndarray:
        """What is constant on the surface, along the motion."""
        tree, *_ = surface_of(self.system, along, 1)
        flat = self.system.flat
        columns = [*self.states.T, *self.system.values]
        with np.errstate(all="ignore"):
            found = numpy_function((tree,), (*flat.variables, *flat.parameters))(columns, self.times)[0]
        return np.broadcast_to(np.asarray(found, float), len(self.states))

    def pictures(self, look: dict) -> Iterator[dict]:
        """What is sent of one look."""
        from .view import packed

        along, height, system = look["along"], float(look["height"]), self.system
        axes = self._axes(along)
        if self.drawn != axes:
            yield {"ground": self._ground(axes)}
            self.drawn = axes
        sent = {"plane": packed(self._plane(along, height, axes))}
        way = WAYS[look["direction"]]
        options = {"direction": way, "initial": self.initial, "transient": self.transient, "patience": PATIENCE}
        surface = self.surface(along, height)
        text = f"{along} = {height:.6g}" + (" (mod 2π)" if along in self.turning else "")
        try:
            found = poincare_section(system, surface, self.few if look.get("moving") else self.crossings, **options)
        except ValueError as error:
            if "never crosses" not in str(error):
                raise
            values = self.values(along)
            told = f"{along} goes from {values.min():.4g} to {values.max():.4g}"
            never = f"{text} is never crossed {look['direction']}"
            yield sent | {"never": f"{never}: {told}", "title": f"{self.title}: {never}"}
            return
        yield sent | self._found(found, look, axes, text)

    def _found(self, found: xr.Dataset, look: dict, axes: list[str], text: str) -> dict:
        from .view import packed

        seen = (found["observed"] if "observed" in found else found["state"]).values[0]
        count = int(np.isfinite(found["time"].values[0]).sum())
        times, seen = found["return_time"].values[0, 1:count], seen[:count]
        columns = {self.recipe["labels"].get(word, word): seen[:, k] for word, k in self._across(look["along"], axes).items()}
        columns |= {"crossing": np.arange(count), "return time": np.r_[np.nan, times]}  # where components do not fill a plane
        sent = {key: packed(values) for key, values in zip("xy", columns.values(), strict=False)} | {"names": list(columns)[:2]}
        sent["dots"] = packed(self._placed(seen, axes))
        if count > 2:
            pairs = return_map(found, look["coordinate"])
            good = np.isfinite(pairs["value"].values[0] + pairs["next"].values[0])
            sent |= {"value": packed(pairs["value"].values[0][good]), "next": packed(pairs["next"].values[0][good])}
            same = np.ptp(times) < 1e-6 * times.max()
            ends = times.mean() * np.array([0.5, 1.5]) if same else (times.min(), times.max())
            counts, edges = np.histogram(times, BINS, ends)
            sent |= {"edges": edges.tolist(), "counts": counts.tolist()}
        ended = "" if found["status"].values[0] == "ok" else f"the motion is {found['status'].values[0]} after {count} crossings"
        sent["title"] = f"{self.title}: {_told(times)} ({count:,} crossings of {text} {look['direction']})"
        return sent | {"never": "", "told": ended}

    # --- where things are drawn -----------------------------------------------------------------------------------------

    def _axes(self, along: str) -> list[str]:
        """The axes of the picture, the surface's own component among them."""
        axes = list(self.recipe["axes"])
        if along in self.system.components and along not in axes:
            plain = [word for word in self.system.components if word != along][: max(1, len(axes) - 1)]
            axes = [*plain, along]
        return axes

    def _ground(self, axes: list[str]) -> dict:
        from .view import packed

        view = {"axes": axes, "periods": min(self.recipe["periods"], PERIODS)}
        if isinstance(self.initial, np.ndarray):
            view |= {"transient": 0.0, "state": dict(zip(self.system.components, self.initial.tolist(), strict=True))}
        drawn = picture(self.system, self.recipe, view)
        ends = [[float(row.min()), float(row.max())] for row in drawn.series]
        self.ends = np.array([[low, high] if high > low else [low - 1, high + 1] for low, high in ends])
        points = np.zeros((drawn.series.shape[1], 3))
        for k, row in enumerate(drawn.series):
            points[:, k] = self._unit(row, k)
        labels = [self.recipe["labels"].get(word, word) for word in axes]
        return {"points": packed(points), "labels": labels, "ranges": self.ends.tolist(), "colour": packed(drawn.colour)}

    def _unit(self, values, axis: int):
        """Values along an axis as places in the cube that the attractor fills."""
        low, high = self.ends[axis]
        return 2 * (values - low) / (high - low) - 1

    def _placed(self, seen: np.ndarray, axes: list[str]) -> np.ndarray:
        """Crossings in the cube; nowhere along axes that are no component's."""
        points = np.zeros((len(seen), 3))
        for k, word in enumerate(axes):
            place = self.recipe["places"][word]
            if place.get("back") or "time" in place:
                return np.zeros((0, 3))
            row = (
                (seen - self.recipe["basis"]["mean"]) @ self.recipe["basis"]["rows"][place["row"]]
                if "row" in place
                else seen[:, place["component"]]
            )
            points[:, k] = self._unit(row, k)
        return points

    def _plane(self, along: str, height: float, axes: list[str]) -> np.ndarray:
        """The outline of the plane in the cube, and lines across it; empty where it is no plane there."""
        system = self.system
        normal, level = np.zeros(3), 0.0
        if along in system.components:
            k, state = system.components.index(along), self.states.mean(axis=0)
            state[k] = height
            if axes.count(along) != 1:
                return np.zeros((0, 3))
            normal[axes.index(along)], level = 1.0, self._unit(float(system.observe(state)[k]), axes.index(along))
        else:
            columns = np.column_stack([self.states, np.ones(len(self.states))])
            values = self.values(along)
            weights, *_ = np.linalg.lstsq(columns, values, rcond=None)
            bent = np.abs(columns @ weights - values).max() > 1e-6 * np.ptp(values)
            used = [
                word
                for word, weight in zip(system.components, weights, strict=False)
                if abs(weight) > 1e-9 * np.abs(weights[:-1]).max()
            ]
            if bent or not set(used) <= set(axes) or system.flat.observed is not None:
                return np.zeros((0, 3))
            level = height - weights[-1]
            for word in used:
                k, weight = axes.index(word), weights[system.components.index(word)]
                half = (self.ends[k, 1] - self.ends[k, 0]) / 2
                normal[k], level = weight * half, level - weight * (self.ends[k, 0] + half)
        return outline(normal, level, flat=len(axes) < 3)

    def _across(self, along: str, axes: list[str]) -> dict[str, int]:
        """The components of the plane's own picture, two at most: such as are shown, and the surface's not among them."""
        names = list(self.system.components)
        used = set(re.findall(r"\w+", along))
        order = [word for word in names if word not in self.turning and word != along]
        order.sort(key=lambda word: (word in used, word not in axes))
        return {word: names.index(word) for word in order[:2]}


def _told(times: np.ndarray) -> str:
    """How long returns take, in words."""
    if not len(times):
        return "it does not come back"
    if np.ptp(times) < 1e-6 * times.max():
        return f"every return takes {times.mean():.5g} time units"
    return f"a return takes {times.mean():.3g} ± {times.std():.2g} time units"
