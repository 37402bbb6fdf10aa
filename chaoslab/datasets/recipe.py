"""What a set of series is made of: a frozen value with a hash, from which the same data come again."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from ..systems import System, load, names, suggest, table
from ..trajectories.grid import period_of, positive, whole
from ..trajectories.record import digest
from ..trajectories.schema import package_version

#: Parts of the orbit of each system that never overlap.
SPLITS = ("train", "validation", "test")
#: Which components a set may hold, by name; a number stands for so many at most, evenly spaced.
COMPONENTS = ("all", "first")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a set of series.

    Parameters
    ----------
    systems : names in the catalogue and Systems; "chaotic" stands for all chaotic flows and delay systems
    split : "train", "validation" or "test". Their members start at places of one orbit between which lies more than their length
    members : series of each system
    periods, samples : length in dominant periods, and samples a period. A map's period is one iteration, of one sample
    components : "all"; "first", which makes one univariate set of the first observed coordinate; or a number, that many at most
        of each system, evenly spaced among its components
    process_noise, observation_noise : as in `simulate`, in deviations (per square root of the period that of the process)
    corruptions : what is done to the series after that, in this order (see `corrupt`)
    resolution : values are rounded to whole multiples of a power of two of at most this many deviations; None for none. Where
        machines differ in their last digits, rounded values still agree
    transient : periods (iterates of a map) before the first member starts
    seed : a whole number
    version : of chaoslab; leave it out

    Two recipes are equal, and have one `hash`, if all of this and the definitions of their systems are the same. Raises
    ValueError or TypeError for a recipe that makes no sense, KeyError for an unknown system, with the nearest name.

    >>> recipe = Recipe(["Lorenz", "Rossler"], split="test", members=3)
    >>> recipe == Recipe.from_json(recipe.to_json())
    True
    """

    systems: tuple[str | System, ...]
    _: KW_ONLY
    split: str = "train"
    members: int = 10
    periods: float = 12.0
    samples: int = 100
    components: str | int = "all"
    process_noise: float = 0.0
    observation_noise: float = 0.0
    corruptions: tuple = ()
    resolution: float | None = None
    transient: float = 10.0
    seed: int = 0
    version: str = dataclasses.field(default_factory=package_version)

    def __post_init__(self):
        checked = {
            "systems": _systems(self.systems),
            "split": _one_of(self.split, SPLITS, "split"),
            "members": whole(self.members, "members"),
            "periods": positive(self.periods, "periods"),
            "samples": whole(self.samples, "samples, a period,"),
            "components": _components(self.components),
            "process_noise": _noise(self.process_noise, "process_noise"),
            "observation_noise": _noise(self.observation_noise, "observation_noise"),
            "corruptions": _corruptions(self.corruptions),
            "resolution": None if self.resolution is None else positive(self.resolution, "resolution, in deviations,"),
            "transient": positive(self.transient, "transient, in periods,", zero=True),
            "seed": _seed(self.seed),
        }
        for key, value in checked.items():
            object.__setattr__(self, key, value)
        if round(self.periods * self.samples) < 1:
            raise ValueError(f"{self.periods:g} periods of {self.samples} samples are less than one sample")
        kinds = {system.kind for system in self.definitions}
        if "map" in kinds and self.samples != 1:
            raise ValueError(
                f"maps have one sample a period, an iteration; samples={self.samples} given. Give maps a recipe of their own"
            )
        if self.process_noise and "map" in kinds:
            wrong = next(system.label for system in self.definitions if system.kind == "map")
            raise ValueError(
                f"process_noise moves flows and delay systems; {wrong} is a map. observation_noise= is added to what is seen of "
                "any system"
            )

    @cached_property
    def definitions(self) -> tuple[System, ...]:
        """The systems as Systems, in order."""
        return tuple(load(one) if isinstance(one, str) else one for one in self.systems)

    @property
    def labels(self) -> tuple[str, ...]:
        """The systems' names, in order."""
        return tuple(one if isinstance(one, str) else one.label for one in self.systems)

    @property
    def count(self) -> int:
        """Samples of each series."""
        return max(1, round(self.periods * self.samples))

    @cached_property
    def hash(self) -> str:
        """Sixteen hexadecimal digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def with_(self, **changes) -> "Recipe":
        """The same with some fields changed; the version is this one's."""
        fields = [field.name for field in dataclasses.fields(self)]
        for key in changes:
            if key not in fields:
                raise ValueError(f"a recipe has no {key!r}.{suggest(key, fields)} It has {', '.join(fields)}")
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """Text from which the same recipe comes back. Catalogue systems stand there by name, with a digest of their definition."""
        said = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        pairs = zip(self.systems, self.definitions, strict=True)
        known = [digest(system) if isinstance(one, str) else system.definition() for one, system in pairs]
        entries = zip(self.labels, known, self.definitions, strict=True)
        said["systems"] = [[label, definition, period_of(system)] for label, definition, system in entries]
        said["corruptions"] = [one.to_dict() for one in self.corruptions]
        return json.dumps(said)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """The recipe that `to_json` wrote; raises ValueError where a system is defined otherwise by now."""
        try:
            said = json.loads(text)
            entries = said.pop("systems")
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is not a recipe's JSON: {text[:60]!r}") from error
        systems = [_defined(*one) for one in entries]
        if said.get("corruptions"):
            from .corrupt import corruption

            said["corruptions"] = tuple(corruption(one) for one in said["corruptions"])
        return cls(tuple(systems), **said)


def chaotic(*kinds: str) -> tuple[str, ...]:
    """The names of all systems of the catalogue of these kinds, by default flows and delay systems, measured to be chaotic."""
    known = table()
    return tuple(known.index[known["kind"].isin(kinds or ("flow", "delay")) & known["regime"].isin(["chaotic", "hyperchaotic"])])


def _defined(name: str, definition: str | Mapping, period: float) -> str | System:
    if isinstance(definition, Mapping):
        return System(**definition)
    if (digest(load(name)), period_of(load(name))) != (definition, period):
        raise ValueError(f"{name} is defined otherwise in this version of chaoslab than where the recipe was written")
    return name


def _systems(given) -> tuple:
    if isinstance(given, str):
        given = chaotic() if given == "chaotic" else (given,)
    if isinstance(given, System):
        given = (given,)
    if not isinstance(given, Iterable):
        raise TypeError(f"systems are names, Systems, or 'chaotic'; {given!r} given")
    found = tuple(_known(one) for one in given)
    if not found:
        raise ValueError("a recipe needs at least one system")
    labels = [one if isinstance(one, str) else one.label for one in found]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ValueError(f"{min(twice)} is there twice; systems of a recipe have different names")
    return found


def _known(one) -> str | System:
    if isinstance(one, str):
        return load(one).label  # which raises for an unknown name
    if not isinstance(one, System):
        raise TypeError(f"a system is a name in the catalogue or a System; {one!r} given")
    return one.label if one.label in names() and load(one.label) == one else one


def _one_of(value, allowed: tuple[str, ...], what: str) -> str:
    if value not in allowed:
        raise ValueError(f"{what} is one of {', '.join(allowed)}; {value!r} given.{suggest(str(value), allowed)}")
    return value


def _components(value) -> str | int:
    if isinstance(value, str):
        return _one_of(value, COMPONENTS, "components, unless a number,")
    return whole(value, "components, if not 'all' or 'first',")


def _noise(value, what: str) -> float:
    if hasattr(value, "__len__"):
        raise ValueError(f"{what} of a recipe is one number for all systems, in deviations; {value!r} given")
    return positive(value, f"{what}, in deviations,", zero=True)


def _corruptions(given) -> tuple:
    given = given if isinstance(given, tuple | list) else (given,)
    for one in given:
        if not hasattr(one, "to_dict"):
            raise TypeError(f"corruptions are values such as datasets.Noise(0.1); {one!r} given")
    return tuple(given)


def _seed(value) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
        raise ValueError(f"seed is a whole number, zero or more, since a recipe must be written down; {value!r} given")
    return int(value)


def evenly(count: int, most: int) -> list[int]:
    """At most so many of `count` places, evenly spaced from the first."""
    return list(range(count)) if count <= most else [math.floor(k * count / most) for k in range(most)]
