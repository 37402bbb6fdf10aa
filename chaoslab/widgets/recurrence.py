"""A recurrence plot linked to its series."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from ..invariants import recurrence_plot, recurrence_statistics
from ..invariants.embedding import points_of
from ..invariants.recurrence import RATE
from ..invariants.series import read_series, times_of
from ..systems import System, as_system
from ..trajectories import simulate
from ..trajectories.grid import whole

#: Periods of a system's own trajectory; components whose series are drawn; points of a plot, at most.
PERIODS, SERIES, MOST = 16, 3, 2000
ALL = "all components"
#: What is said beside the plot: the statistic, and its name.
STATISTICS = {
    "rate": "recurrence rate",
    "determinism": "determinism",
    "mean_line": "mean diagonal line (samples)",
    "longest_line": "longest diagonal line (samples)",
    "entropy": "entropy of line lengths (nats)",
    "laminarity": "laminarity",
    "trapping_time": "trapping time (samples)",
}


def recurrence(
    motion: System | str | np.ndarray | xr.DataArray | xr.Dataset,
    *,
    component: str | None = None,
    rate: float = RATE,
    points: int = 800,
    dimension: int | None = None,
    lag: int | None = None,
):
    """A recurrence plot linked to its series: pointing at a pair of moments, or dragging a window, marks both stretches there.

    Beside it are the statistics of its lines, with standard errors, and a slider for the part of pairs that recur. Takes a system,
    of which 16 periods are simulated, or a series as `invariants.recurrence_plot` does.

    Parameters
    ----------
    component : the one from which states are built, by delays; by default all, as they are
    points : samples that are looked at, the first of the series
    dimension, lag : of the delays, as in `recurrence_plot`

    Gives a widget with `turn(rate=0.1)`, `look` and `picture`. Raises ValueError for a series that is constant or shorter than 100.
    """
    from .view import RecurrenceView, _checked

    points = whole(points, "points")
    if points > MOST:
        raise ValueError(f"at most {MOST} points are drawn; {points} given. figures.recurrence() draws a plot of up to 20,000")
    plots = Plots(motion, points, {"dimension": dimension, "lag": lag})
    controls = [
        {"key": "rate", "label": "rate", "unit": "part of pairs", "low": 0.002, "high": 0.4, "step": 0.01, "log": True}
        | {"least": 1e-5, "most": 0.99, "value": RATE}
    ]
    if len(plots.names) > 1:
        controls.append(
            {"key": "component", "label": "states of", "options": [[ALL, ALL], *([word, word] for word in plots.names)]}
        )
    look = {"rate": _checked(controls[0], rate)}
    if len(plots.names) > 1:
        look["component"] = ALL if component is None else _checked(controls[1], component)
    of = {"title": plots.label, "what": "recurrence plot", "controls": controls, "names": plots.names[:SERIES], "unit": plots.unit}
    points_of(plots.series, None, dimension, lag, 0, None)  # refuses what has no states
    return RecurrenceView(of, look, plots.pictures)


class Plots:
    """A series, and the recurrence plots of it."""

    def __init__(self, motion, points: int, embedding: dict):
        self.label, self.embedding, unit = "a series", embedding, "samples"
        if isinstance(motion, System | str):
            system = as_system(motion, "recurrence")
            lengths = {"periods": points} if system.kind == "map" else {"periods": PERIODS, "samples": max(1, points // PERIODS)}
            motion, self.label = (
                simulate(system, **lengths, transient=1000 if system.kind == "map" else 20),
                system.title or system.label,
            )
        if isinstance(motion, xr.Dataset):
            self.label = self.label if self.label != "a series" else str(motion.attrs.get("name", self.label))
            unit = "iterations" if motion.attrs.get("kind") == "map" else "the system's time unit"
        elif isinstance(motion, xr.DataArray):
            unit = "the series' unit"
        values, spacing, _ = read_series(motion)
        labels = isinstance(motion, xr.Dataset | xr.DataArray) and "component" in motion.dims
        self.names = [str(word) for word in motion["component"].values] if labels else [f"x{k + 1}" for k in range(values.shape[1])]
        self.names = ["x"] if len(self.names) == 1 and not labels else self.names
        times = np.asarray(times_of(motion, spacing, len(values)), float)
        self.told = f"the first {points} of {len(values):,} samples" if len(values) > points else ""
        self.unit, self.sampling, self.times = unit, spacing, times[:points]
        self.series = values[:points]
        self.sent = False

    def pictures(self, look: dict) -> Iterator[dict]:
        """What is sent of one look: the plot, then with statistics and their errors."""
        from .view import packed

        chosen = look.get("component", ALL)
        series = self.series if chosen == ALL else self.series[:, [self.names.index(chosen)]]
        options = self.embedding | {"rate": look["rate"], "sampling": self.sampling}
        plot = recurrence_plot(series, **options)
        rows = np.round((plot["time"].values) / self.sampling).astype(int)
        sent = {"size": len(rows), "first": int(rows[0]), "bits": np.packbits(plot.values).tobytes(), "told": self.told}
        if not np.array_equal(np.diff(rows), np.ones(len(rows) - 1)):
            sent = self._spread(plot, rows) | {"told": "; ".join(filter(None, [self.told, "gaps in the series are left out"]))}
        threshold = plot.attrs["threshold"]
        sent["title"] = f"{self.label}: {look['rate']:.3g} of all pairs of moments are nearer than {threshold:.3g} deviations"
        sent["facts"] = []
        if not self.sent:
            self.sent = True
            yield {"ground": {"time": packed(self.times), "series": packed(self.series[:, :SERIES].T), "count": len(self.times)}}
        yield dict(sent)
        if look.get("moving"):
            return
        found = recurrence_statistics(series, **options)
        delays = found.attrs["dimension"]
        facts = [[name, _value(found, key)] for key, name in STATISTICS.items()]
        facts.append(["threshold (deviations)", f"{threshold:.3g}"])
        facts.append(["states", f"{delays} delays of {found.attrs['lag']} samples" if delays > 1 else "as they are"])
        facts.append(["Theiler window", f"{found.attrs['theiler']} samples"])
        part = float(found["determinism"])
        sent["title"] = f"{self.label}: {part:.3g} of the moments that come back go on as before (determinism)"
        yield sent | {"facts": facts}

    def _spread(self, plot, rows: np.ndarray) -> dict:
        """A plot whose gaps are rows and columns without a dot."""
        size = int(rows[-1] - rows[0] + 1)
        whole = np.zeros((size, size), bool)
        whole[np.ix_(rows - rows[0], rows - rows[0])] = plot.values
        return {"size": size, "first": int(rows[0]), "bits": np.packbits(whole).tobytes()}


def _value(found: xr.Dataset, key: str) -> str:
    value = float(found[key])
    error = float(found[f"{key}_error"]) if f"{key}_error" in found else np.nan
    if not np.isfinite(value):
        return "none"
    return f"{value:.3g} ± {error:.1g}" if error > 1e-6 * abs(value) else f"{value:.4g}"
