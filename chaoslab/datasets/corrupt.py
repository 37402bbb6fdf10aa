"""Data as instruments see them: with noise, gaps, uneven times and hidden components, and the truth beside."""

import hashlib
import json
import operator
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories.grid import positive, whole
from .layout import Data, each, series_of, shown
from .uneven import kept_times, moved_times

#: Laws of noise, each with mean 0 and standard deviation 1: a function of a Generator and a shape.
LAWS = {
    "gaussian": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-np.sqrt(3), np.sqrt(3), shape),
    "laplace": lambda rng, shape: rng.laplace(0, np.sqrt(0.5), shape),
    "student": lambda rng, shape: rng.standard_t(5, shape) / np.sqrt(5 / 3),
}


class Corruption:
    """What may be done to a Dataset: a frozen value that changes `observed` when it is called."""

    def to_dict(self) -> dict:
        """Plain values for JSON, read back by `corruption`: {"Noise": {"amplitude": 0.1, "kind": "gaussian"}}."""
        values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {type(self).__name__: values}


@dataclass(frozen=True)
class Noise(Corruption):
    """White noise, `amplitude` times the standard deviation that each component of the true series has over time.

    `kind` is its law: gaussian, uniform, laplace, or student with five degrees of freedom, which has outliers.
    """

    amplitude: float
    kind: str = "gaussian"

    def __post_init__(self):
        object.__setattr__(self, "amplitude", positive(self.amplitude, "the amplitude of noise"))
        if self.kind not in LAWS:
            raise ValueError(f"noise of kind {self.kind!r} is not known.{suggest(str(self.kind), LAWS)} Kinds: {', '.join(LAWS)}")

    def __call__(self, ds: xr.Dataset, chance: "Chance") -> xr.Dataset:
        def noisy(seen, true, rng):
            return seen + self.amplitude * true.std("time").values * LAWS[self.kind](rng, seen.shape)

        return _by_series(ds, chance, noisy)


@dataclass(frozen=True)
class Gaps(Corruption):
    """Stretches of `length` samples, placed at random, in which nothing is seen: NaN in this `share` of all samples.

    All components are lost at once, those of each member elsewhere. Two stretches may touch, and never overlap.
    """

    share: float
    length: int = 1

    def __post_init__(self):
        object.__setattr__(self, "share", _share(self.share, "the share of gaps"))
        object.__setattr__(self, "length", whole(self.length, "the length of gaps"))

    def __call__(self, ds: xr.Dataset, chance: "Chance") -> xr.Dataset:
        total = ds.sizes["time"]
        count = min(round(self.share * total / self.length), total // self.length)
        if count == 0:
            raise ValueError(f"{self.share:g} of {total} samples is less than one gap of {self.length}; make gaps shorter, or more")

        def holed(seen, _, rng):
            starts = np.sort(rng.choice(total - count * (self.length - 1), count, replace=False))
            starts += np.arange(count) * (self.length - 1)
            seen[(starts[:, None] + np.arange(self.length)).ravel()] = np.nan
            return seen

        return _by_series(ds, chance, holed)


@dataclass(frozen=True)
class IrregularTimes(Corruption):
    """Samples at uneven times, the same for all members and systems: a `share` left out at random, or all shifted.

    `jitter` shifts every time by up to so many sampling steps, uniformly, less than a half; the values there are integrated
    from the sample before, not interpolated. That takes a noiseless flow with all its components.
    """

    share: float = 0.0
    jitter: float = 0.0

    def __post_init__(self):
        if self.share == 0 and self.jitter == 0:
            raise ValueError("irregular times leave out a share of samples, or shift them by a jitter; both are zero")
        object.__setattr__(self, "share", _share(self.share, "the share of samples left out", zero=True))
        object.__setattr__(self, "jitter", positive(self.jitter, "jitter", zero=True))
        if self.jitter >= 0.5:
            raise ValueError(f"jitter must be less than half a sampling step, to keep times in order; {self.jitter:g} given")

    def __call__(self, ds: xr.Dataset, chance: "Chance") -> xr.Dataset:
        moved = moved_times(ds, self.jitter, chance.shared("jitter")) if self.jitter else ds
        return kept_times(moved, self.share, chance.shared("share")) if self.share else moved


@dataclass(frozen=True)
class Hidden(Corruption):
    """Components that are not seen, by name, or by number in trees of systems with different names (-1 is the last).

    They are NaN in `observed`, and marked in the coordinate `hidden`; windows leave them out.
    """

    components: tuple[str | int, ...]

    def __post_init__(self):
        given = self.components
        given = (given,) if isinstance(given, str | int) else tuple(given)
        if not given or not all(isinstance(word, str | int) and not isinstance(word, bool) for word in given):
            raise ValueError(f"hidden are components by name or number, at least one; {self.components!r} given")
        object.__setattr__(self, "components", given)

    def __call__(self, ds: xr.Dataset, chance: "Chance") -> xr.Dataset:
        if "component" not in ds.dims:
            raise ValueError("univariate data have no components to hide")
        names = [str(word) for word in ds["component"].values]
        hidden = ds["hidden"].values.copy() if "hidden" in ds.coords else np.zeros(len(names), bool)
        for word in self.components:
            hidden[_place(word, names)] = True
        if hidden.all():
            raise ValueError(f"hiding {', '.join(map(str, self.components))} leaves nothing to see of {', '.join(names)}")
        ds = ds.assign_coords(hidden=("component", hidden))
        return ds.assign(observed=ds["observed"].where(~ds["hidden"].drop_vars("hidden")).assign_attrs(ds["observed"].attrs))


KINDS = {kind.__name__: kind for kind in (Noise, Gaps, IrregularTimes, Hidden)}


@dataclass(frozen=True)
class Chance:
    """Random numbers for one corruption of a system: a stream for each member, whatever the order and number of others."""

    seed: int
    place: int
    name: str

    def of(self, system: str, member: int) -> np.random.Generator:
        """The stream of a member."""
        return self._stream(f"member {member} of {system}")

    def shared(self, purpose: str) -> np.random.Generator:
        """A stream that is the same for all systems and members."""
        return self._stream(f"all, {purpose}")

    def _stream(self, words: str) -> np.random.Generator:
        key = hashlib.sha256(f"{self.place}: {words}".encode()).digest()
        root = np.random.SeedSequence(self.seed, spawn_key=tuple(np.frombuffer(key, "<u4").tolist()))
        return np.random.Generator(np.random.SFC64(root))


def corrupt(data: Data, corruptions: Corruption | Iterable[Corruption], *, rng: int | np.random.Generator = 0) -> Data:
    """The data as they are seen after the corruptions, in their order: `observed`, with the truth in `clean`.

    `state` stays what it was, times are true, and the attribute `corruption` says as JSON what was done. A member's
    corruption depends on the seed, the system's name and the member's number only, not on the others. So corrupting twice is
    the same as corrupting once by both. Raises TypeError for what is no corruption, ValueError where one does not apply.

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import Gaps, Noise, corrupt
    >>> seen = corrupt(cl.simulate("Lorenz", 10, 100), [Noise(0.1), Gaps(0.2, length=25)], rng=1)
    >>> int(seen.observed.isnull().any("component").sum())
    200
    """
    chosen = [corruptions] if isinstance(corruptions, Corruption) else list(corruptions)
    for one in chosen:
        if not isinstance(one, Corruption):
            raise TypeError(f"corruptions are {', '.join(KINDS)}; {one!r} given")
    seed = int(rng.integers(2**63)) if isinstance(rng, np.random.Generator) else operator.index(rng)
    return each(data, lambda ds, name: _corrupted(ds, name, chosen, seed))


def corruption(description: Mapping) -> Corruption:
    """The corruption that `to_dict` told; raises ValueError for other words.

    >>> from chaoslab.datasets import corruption
    >>> corruption({"Gaps": {"share": 0.1, "length": 5}})
    Gaps(share=0.1, length=5)
    """
    if not isinstance(description, Mapping) or len(description) != 1:
        raise ValueError(f"a corruption is described as {{'Noise': {{'amplitude': 0.1}}}}; {description!r} given")
    ((kind, values),) = description.items()
    if kind not in KINDS:
        raise ValueError(f"corruption {kind!r} is not known.{suggest(str(kind), KINDS)} There are {', '.join(KINDS)}")
    try:
        return KINDS[kind](**values)
    except TypeError as error:
        raise ValueError(f"{kind} cannot be made of {values!r}: {error}") from error


def _corrupted(ds: xr.Dataset, name: str, corruptions: list[Corruption], seed: int) -> xr.Dataset:
    if "scaling" in ds.attrs:
        raise ValueError("the data are scaled already; corrupt them first, and fit the scaling to what is seen")
    done = json.loads(ds.attrs.get("corruption", "[]"))
    if "clean" not in ds:
        seen = shown(ds)
        ds = ds.assign(observed=seen.copy(), clean=seen)
    for one in corruptions:
        ds = one(ds, Chance(seed, len(done), name))
        done.append(one.to_dict() | {"seed": seed})
        ds = ds.assign_attrs(corruption=json.dumps(done))
    return ds


def _by_series(ds: xr.Dataset, chance: Chance, function) -> xr.Dataset:
    """`observed` with every member's series (time, component) replaced by function(values, true series, stream)."""
    seen = ds["observed"].transpose(*[dim for dim in ("system", "member", "time", "component") if dim in ds["observed"].dims])
    values = np.array(seen.values)  # series that are read when used would not keep what is written to them
    for system, member, place in series_of(ds, chance.name):
        index = tuple(place.values())
        values[index] = function(values[index], ds["clean"].isel(place), chance.of(system, member))
    return ds.assign(observed=seen.copy(data=values).transpose(*ds["observed"].dims))


def _share(value, what: str, zero: bool = False) -> float:
    share = positive(value, what, zero=zero)
    if share >= 1:
        raise ValueError(f"{what} must be less than 1; {value!r} given")
    return share


def _place(word: str | int, names: list[str]) -> int:
    if isinstance(word, str):
        if word not in names:
            raise ValueError(f"there is no component {word!r} to hide.{suggest(word, names)} There are {', '.join(names)}")
        return names.index(word)
    if not -len(names) <= word < len(names):
        raise ValueError(f"there is no component number {word} to hide; there are {len(names)}, from 0")
    return word
