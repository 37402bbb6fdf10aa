"""The systems that were discovered, as a value that is kept in a file of text."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from ..systems import System, suggest

#: What the first line of a file says it is.
FORMAT = "chaoslab discovery 1"


@dataclass(frozen=True)
class Found:
    """One new system with what was measured of it; exponents per time unit with standard errors, in descending order.

    `dimension` is that of Kaplan and Yorke, None where too few exponents were taken; `followed` the time for which its orbit
    was; `parents` are names in the catalogue; `seed` and `candidate` draw it again.
    """

    definition: Mapping
    kind: str
    regime: str
    exponents: tuple[float, ...]
    errors: tuple[float, ...]
    dimension: float | None
    dimension_error: float | None
    followed: float
    parents: tuple[str, ...]
    seed: int
    candidate: int

    @classmethod
    def of(cls, record: Mapping) -> "Found":
        """From a record in plain types."""
        lists = {key: tuple(record[key]) for key in ("exponents", "errors", "parents")}
        return cls(**{**record, **lists})

    @property
    def name(self) -> str:
        """Its kind and a hash of its equations and parameters."""
        return self.definition["name"]

    @cached_property
    def system(self) -> System:
        """The System, at a state on its attractor, with its period and Lyapunov time."""
        return System(**self.definition)

    @property
    def period(self) -> float:
        """The dominant period."""
        return self.definition["period"]

    @property
    def lyapunov_times(self) -> float:
        """How many Lyapunov times its orbit was followed."""
        return self.followed * self.exponents[0]


@dataclass(frozen=True)
class Discovery:
    """New systems in the order in which they were found, by place or name; `counts` say by kind what became of all candidates.

    `seconds` by kind are those of a processor; they do not count for equality. `found[0].system` is a System like any other.
    """

    systems: tuple[Found, ...]
    counts: Mapping[str, Mapping[str, int]]
    settings: Mapping[str, object]
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    def __len__(self) -> int:
        return len(self.systems)

    def __iter__(self) -> Iterator[Found]:
        return iter(self.systems)

    def __getitem__(self, which: int | str) -> Found:
        if not isinstance(which, str):
            return self.systems[which]
        if which not in self._places:
            raise KeyError(f"no system is called {which!r}.{suggest(which, self._places)}")
        return self.systems[self._places[which]]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {entry.name: place for place, entry in enumerate(self.systems)}

    def __repr__(self) -> str:
        rows = [f"{len(self)} new chaotic systems"]
        for kind, fates in self.counts.items():
            words = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items(), key=lambda item: -item[1]))
            rows.append(f"  {kind}: of {sum(fates.values())} candidates {words}")
        return "\n".join(rows)

    def table(self):
        """A pandas frame indexed by name, one row a system."""
        import pandas as pd

        rows = [
            {
                "name": entry.name,
                "kind": entry.kind,
                "parents": ", ".join(entry.parents),
                "variables": len(entry.definition["equations"]),
                "regime": entry.regime,
                "largest_exponent": entry.exponents[0],
                "largest_exponent_error": entry.errors[0],
                "period": entry.period,
                "kaplan_yorke_dimension": entry.dimension,
                "lyapunov_times": entry.lyapunov_times,
                "seed": entry.seed,
                "candidate": entry.candidate,
            }
            for entry in self.systems
        ]
        return pd.DataFrame(rows).set_index("name")

    def save(self, path: str | os.PathLike) -> None:
        """Write it as JSON lines: one for all, then one a system. The file is whole at every moment."""
        path = Path(path)
        head = {"format": FORMAT, "counts": self.counts, "settings": self.settings, "seconds": self.seconds, "systems": len(self)}
        draft = path.with_name(path.name + ".draft")
        lines = [json.dumps(head), *(json.dumps(asdict(entry)) for entry in self.systems)]
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Discovery":
        """What `save` wrote; raises ValueError for a file that is something else, or cut short."""
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        try:
            head, *records = [json.loads(line) for line in lines]
            whole = head["format"] == FORMAT and head["systems"] == len(records)
            systems = tuple(map(Found.of, records)) if whole else ()
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no file of discovered systems, or was cut short ({error})") from error
        if not whole:
            raise ValueError(f"{path} is of another format than {FORMAT!r}, or holds {len(records)} systems of {head['systems']}")
        return cls(systems, head["counts"], head["settings"], head["seconds"])
