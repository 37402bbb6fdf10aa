"""The plane of ordinal entropy and complexity, with a slider for the lag."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from ..invariants import complexity_bounds, ideal_lag, noise_curve, ordinal, region
from ..invariants.ordinal_lag import LONG, SHORT
from ..invariants.ordinal_plane import borders
from ..invariants.series import read_all
from ..systems import System, as_system
from ..trajectories import simulate

#: Periods, and samples to each, of a system's own trajectory; iterations of a map.
PERIODS, SAMPLES, ITERATIONS = 100, 100, 10_000
#: Lags on offer, at most, and how far they reach: patterns of five values as long as so many natural time scales.
LAGS, FARTHEST = 80, 2.0
LENGTHS = (3, 4, 5, 6, 7)
#: Series that are told apart by colour.
SERIES = 6
RESAMPLES = 100
#: Points of the bounds.
POINTS = 300


def ordinal_plane(motion: System | str | np.ndarray | xr.DataArray | xr.Dataset, *, length: int = 5, lag: int | None = None):
    """The plane of permutation entropy and statistical complexity, with sliders for the lag and the values in a pattern.

    Each component is a point with its path over all lags; beside it both numbers over the time that a pattern takes, where a click
    sets the lag too, and the shade is 0.3 to 0.5 of the natural time scale, where patterns see the motion turn. Takes a system,
    of which 100 periods (10,000 iterations) are simulated, or a series as `invariants.ordinal` does, of one member.

    Parameters
    ----------
    length : values in a pattern, 3 to 7
    lag : samples between them, by default the ideal one

    Gives a widget with `turn(lag=12, length=6)`, `look` and `picture`. Raises ValueError for a series that is constant or short.
    """
    from .view import OrdinalPlaneView, _checked

    plane = Plane(motion)
    lag = plane.ideal if lag is None else lag
    controls = [
        {"key": "lag", "label": "lag", "unit": "samples", "low": 1, "high": plane.lags[-1], "step": 1, "least": 1}
        | {"most": plane.lags[-1], "whole": True, "values": plane.lags, "value": plane.ideal},
        {"key": "length", "label": "values in a pattern", "numbers": True, "options": [[str(n), str(n)] for n in LENGTHS]},
    ]
    look = {"lag": _checked(controls[0], lag), "length": int(_checked(controls[1], length))}
    of = {"title": plane.label, "what": "entropy and complexity", "controls": controls, "names": plane.names}
    of |= {"scale": plane.scale, "sampling": plane.sampling, "shade": [SHORT, LONG], "unit": plane.unit}
    return OrdinalPlaneView(of, look, plane.pictures)


class Plane:
    """A series, the lags at which it is looked at, and what has been found for each length of patterns."""

    def __init__(self, motion):
        self.label, self.series = "a series", motion
        if isinstance(motion, System | str):
            system = as_system(motion, "ordinal_plane")
            self.label = system.title or system.label
            lengths = {"periods": ITERATIONS} if system.kind == "map" else {"periods": PERIODS, "samples": SAMPLES}
            self.series = simulate(system, **lengths, transient=1000 if system.kind == "map" else 20)
        elif isinstance(motion, xr.Dataset):
            self.label = str(motion.attrs.get("name", self.label))
        values, self.sampling, self.flow = read_all(self.series)
        if values.sizes.get("member", 1) != 1:
            raise ValueError(f"{values.sizes['member']} members given; choose one, as in isel(member=[0])")
        ordinal(self.series, length=3, resamples=0)  # refuses what has no patterns
        count = values.sizes.get("component", 1)
        names = values["component"].values if "component" in values.coords and values["component"].ndim else range(count)
        names = [str(word) for word in names] if count > 1 or "component" in values.coords else ["the series"]
        self.names = names[:SERIES]
        self.told = f"the first {SERIES} of {count} components" if count > SERIES else ""
        self.unit = "iterations" if self.flow is False else "the series' time unit"
        best = ideal_lag(self.series)
        self.scale = float(best["time_scale"]) if self.flow is not False else 1.0
        self.lags = self._lags(values.sizes["time"])
        self.ideal = min(self.lags, key=lambda one: abs(one - int(best["lag"])))
        self.found = {}

    def _lags(self, samples: int) -> list[int]:
        farthest = 20 if self.flow is False else round(FARTHEST * self.scale / (4 * self.sampling))
        farthest = max(1, min(max(farthest, 8), (samples - 2) // (3 * (max(LENGTHS) - 1))))
        return np.unique(
            np.geomspace(1, farthest, LAGS).round().astype(int) if farthest > LAGS else np.arange(1, farthest + 1)
        ).tolist()

    def pictures(self, look: dict) -> Iterator[dict]:
        """What is sent of one look: the paths and bounds, then with the errors at the lag, then with the regions of the plane."""
        from .view import packed

        length, lag = int(look["length"]), int(look["lag"])
        new = length not in self.found
        if new:
            self.found[length] = self._paths(length)
        sent, paths, more = self.found[length]
        if look.get("moving") and not new:
            return
        here = ordinal(self.series, length=length, lag=lag, resamples=RESAMPLES)
        column = {key: np.atleast_1d(here[key].values.squeeze())[:SERIES] for key in ("entropy", "complexity")}
        errors = {
            f"{key}_error": np.atleast_1d(here[f"{key}_error"].values.squeeze())[:SERIES] for key in ("entropy", "complexity")
        }
        made = {"lag": lag, "told": "; ".join(filter(None, [self.told, here.attrs["warning"]]))}
        made["here"] = {key: packed(values) for key, values in (column | errors).items()}
        made["title"] = f"{self.label}: {self._said(column, length, lag)}"
        if new and more is None:
            yield sent | made
            more = _regions(length)
            self.found[length] = (sent, paths, more)
        yield sent | (more or {}) | made

    def _paths(self, length: int):
        found = ordinal(self.series, length=length, lag=self.lags, resamples=0)
        bounds = complexity_bounds(length, points=POINTS)
        shape = (len(self.lags), -1)
        paths = {key: found[key].values.reshape(shape)[:, :SERIES] for key in ("entropy", "complexity")}
        sent = {"length": length, "lags": self.lags, "time": _packed(found["pattern_time"].values)}
        sent |= {key: _packed(values.T) for key, values in paths.items()}
        sent["bounds"] = {key: _packed(bounds[key].values) for key in ("entropy", "lower", "upper")}
        return sent, paths, None if length >= 5 else {}

    def _said(self, here: dict, length: int, lag: int) -> str:
        """The kind of motion of each component, where patterns are long enough to tell it."""
        time = (length - 1) * lag * self.sampling / self.scale
        when = f"at lag {lag}" if self.flow is False else f"at lag {lag}, {time:.2g} of the natural time scale"
        if length < 5:
            return f"{when}, H = {np.nanmean(here['entropy']):.2f} and C = {np.nanmean(here['complexity']):.2f}"
        kinds = region(here["entropy"], here["complexity"], length)
        by = {kind: [word for word, one in zip(self.names, kinds, strict=True) if one == kind] for kind in dict.fromkeys(kinds)}
        return f"{'; '.join(_told(names, kind, len(kinds)) for kind, names in by.items())} {when}"


def _told(names: list[str], kind: str, count: int) -> str:
    """Which components are of a kind, in words."""
    who = "all" if len(names) == count > 2 else " and ".join(names) if len(names) < 3 else ", ".join(names)
    return f"{who} {kind or 'constant'}"


def _packed(values) -> bytes:
    return np.ascontiguousarray(values, np.float32).tobytes()


def _regions(length: int) -> dict:
    """The curve of noises, and the lines between regions where patterns are long enough."""
    noises = noise_curve(length)
    bounds = complexity_bounds(length, points=POINTS)
    lines = borders(bounds)
    inside = (bounds["entropy"].values >= lines.left) & (bounds["entropy"].values <= lines.right)
    sent = {"noises": {key: _packed(noises[key].values) for key in ("entropy", "complexity")}}
    chord = np.where(inside, np.minimum(lines.chord, bounds["upper"].values), np.nan)
    noisy = np.where(bounds["entropy"].values >= lines.left, np.minimum(lines.noisy, bounds["upper"].values), np.nan)
    return sent | {
        "lines": {"left": float(lines.left), "right": float(lines.right), "chord": _packed(chord), "noisy": _packed(noisy)}
    }
