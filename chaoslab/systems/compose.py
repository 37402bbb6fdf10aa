"""Systems out of two systems, as text: coupled, or one driven by the other.

What comes back is a definition like any other, so everything that is derived from a text is derived from it too. Names are
changed in place and the author's layout stays.
"""

import itertools
import keyword
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from .definition import mapping
from .language import RESERVED, read, suggest
from .rewording import checked, fresh, labels_of, meanings_of, mentioned, pace, renamed, said, sites_of, used_names, word_of
from .system import System
from .tree import names_in, walk
from .unroll import target

_NONE: Mapping = MappingProxyType({})


def couple(
    first: System,
    second: System,
    terms: Mapping[str, str] = _NONE,
    *,
    through: str | Iterable[str] = (),
    strength: float | str | Mapping | None = None,
    mutual: bool = True,
    parameters: Mapping = _NONE,
    speed: float | str | None = None,
    state: Mapping = _NONE,
    suffixes: tuple[str, str] = ("1", "2"),
) -> System:
    """Two systems side by side as one, with coupling terms added to their equations.

    A name that both systems use is told apart by a suffix, x1 and x2; every other name is kept. An index or a size that means
    the same in both is shared, so that `x1[i]` and `x2[i]` can be written. A coupling may be delayed: `k*(x2(t - tau) - x1)`.

    Parameters
    ----------
    terms : what is added to the equation of each state, in the new names
    through : components, in the name that both systems have for them, of a diffusive coupling: k*(x2 - x1) is added to the
        equation of x1 and k*(x1 - x2) to that of x2. For maps the next values are mixed, as in lattices of coupled maps
    strength : k of `through`; a mapping such as {"eps": 0.1} gives it another name
    mutual : False lets the first system drive the second, and not the other way round
    parameters : constants of `terms`
    speed : how fast the second system's own time runs: its right-hand side is multiplied by the parameter `speed_2`
    state : starting values in the new names. Two systems with the same equations and start might stay together for ever, so
        the second of them is moved one per cent towards the origin
    suffixes : what is appended to a name that both systems use

    Conserved quantities are kept where no term can change them. Raises ValueError for a flow with a map, an unknown state and
    a new parameter whose name is taken, DefinitionError for text that cannot be read.

    >>> from chaoslab.systems import load
    >>> pair = couple(load("Rossler"), load("Rossler"), through="y", strength=0.2)
    >>> pair.equations["y2"]
    'x2 + a2*y2 + k*(y1 - y2)'
    """
    made, names = _side_by_side(first, second, suffixes, speed, state)
    through = [through] if isinstance(through, str) else list(dict.fromkeys(through))
    if bool(through) != (strength is not None):
        raise ValueError("diffusive coupling takes both through='x', the component, and strength=0.1, how strong it is")
    changed, constants = set(), {}
    if through:
        constants = dict(strength) if isinstance(strength, Mapping) else {"k": strength}
        if len(constants) != 1:
            raise ValueError(f"strength is one number, or one with its name as in {{'eps': 0.1}}; {strength!r} given")
        for word in through:
            changed |= _diffusion(made, (first, second), names, word, *constants, mutual)
    for word in constants.keys() & mapping(parameters, "parameters").keys():
        raise ValueError(f"{word!r} is the strength and stands in parameters too; call it otherwise: strength={{'eps': 0.1}}")
    changed |= _add(made, terms, list(made["state"]))
    return _finished(made, {**constants, **parameters}, changed, f"{first.label} and {second.label}, coupled")


def skew(
    drive: System,
    response: System,
    terms: Mapping[str, str] = _NONE,
    *,
    replace: Mapping[str, str] = _NONE,
    parameters: Mapping = _NONE,
    speed: float | str | None = None,
    state: Mapping = _NONE,
    suffixes: tuple[str, str] = ("", "2"),
) -> System:
    """A skew product: the drive goes its own way, and its states enter the equations of the response.

    The drive keeps its names; a name of the response that the drive uses too gets the suffix.

    Parameters
    ----------
    terms : what is added to the equation of each state of the response, in the new names
    replace : parameters of the response, by the names they have there, that become functions of the drive's states in the new
        names, as in {"a": "0.2 + 0.01*x"}
    parameters : constants of `terms` and `replace`
    speed : how fast the response's own time runs: its right-hand side is multiplied by the parameter `speed_2`
    state, suffixes : as for `couple`

    Conserved quantities are kept where the drive cannot change them. Raises ValueError for a flow with a map, a term in the
    drive's equations, an unknown state or parameter and a new parameter whose name is taken, DefinitionError for text that
    cannot be read.

    >>> from chaoslab.systems import load
    >>> driven = skew(load("Lorenz"), load("Rossler"), replace={"a": "0.2 + 0.001*x"})
    >>> driven.equations["y2"], driven.where["a"]
    ('x2 + a*y2', '0.2 + 0.001*x')
    """
    made, (ahead, behind) = _side_by_side(drive, response, suffixes, speed, state)
    driven = {}
    for key, text in mapping(replace, "replace").items():
        old, indices = target(key)
        if old not in response.parameters:
            raise ValueError(f"{response.label} has no parameter {old!r} to replace.{suggest(old, response.parameters)}")
        word, text = behind.get(old, old), said(text, f"replacement of {old}")
        if word in names_in(read(text)):
            raise ValueError(f"{old!r} cannot be replaced by itself; write '{old}0 + ...' and give {old}0 among the parameters")
        driven[word + sites_of(behind.get(index, index) for index in indices)] = text
        del made["parameters"][word]
        made["ranges"].pop(word, None)
    made["where"] = driven | made["where"]
    own = {ahead.get(word, word) for word in drive.state}
    for key in mapping(terms, "terms"):
        if word_of(key) in own:
            raise ValueError(f"{key!r} is a state of the drive, on which nothing acts; couple() couples both ways")
    changed = _add(made, terms, [word for word in made["state"] if word not in own])
    constants = mapping(parameters, "parameters")
    return _finished(made, constants, changed | {*map(word_of, driven)}, f"{drive.label} driving {response.label}")


def _side_by_side(first, second, suffixes, speed, state) -> tuple[dict, tuple[dict, dict]]:
    """The two definitions as one, still to be changed, and the new names of each."""
    pair = (first, second)
    for system in pair:
        checked(system)
    if (first.kind == "map") != (second.kind == "map"):
        raise ValueError(f"{first.label} is a {first.kind}, {second.label} a {second.kind}; flows go with flows, maps with maps")
    names = _apart(first, second, suffixes)
    parts = [renamed(system, new) for system, new in zip(pair, names, strict=True)]
    if speed is not None:
        end = suffixes[1].strip("_") or "2"
        taken = {*RESERVED, *used_names(parts[0]), *used_names(parts[1])}
        pace(parts[1], second, "speed", speed, (f"speed_{end}", f"t_{end}"), taken)
    if first.equations == second.equations and np.array_equal(first.initial, second.initial):
        parts[1]["state"] = _elsewhere(parts[1]["state"])
    for key in first.conserved.keys() & second.conserved.keys():
        for part, suffix in zip(parts, suffixes, strict=True):
            part["conserved"][key + suffix] = part["conserved"].pop(key)
    made = {key: {**parts[0][key], **parts[1][key]} for key in parts[0]}
    for word in mapping(state, "state"):
        if word not in made["state"]:
            raise ValueError(f"no state is called {word!r}.{suggest(word, made['state'])} States are {', '.join(made['state'])}")
    made["state"] |= state
    made |= {key: getattr(first, key) for key in ("field", "cite") if getattr(first, key) == getattr(second, key)}
    remarks = [f"{system.label}: {system.note}" for system in pair if system.note]
    remarks += [f"{system.label} is from {system.cite}." for system in pair if system.cite != made.get("cite", "")]
    made |= {"note": " ".join(dict.fromkeys(remarks)), "period": first.period if first.kind == "map" else None}
    return made | {"kind": "map" if first.kind == "map" else "flow"}, names


def _apart(first: System, second: System, suffixes) -> tuple[dict, dict]:
    """New names for the words of each system that the other uses too."""
    if len(suffixes) != 2 or suffixes[0] == suffixes[1] or not all(f"x{end}".isidentifier() for end in suffixes):
        raise ValueError(f"suffixes are two different ends of a name, as in ('1', '2'); {suffixes!r} given")
    labels, means = (labels_of(first), labels_of(second)), (meanings_of(first), meanings_of(second))
    shared = {word for word in means[0].keys() & means[1].keys() if means[0][word] == means[1][word]}
    shared -= {key for key, entry in first.index.items() if entry["name"] not in shared}
    both = (labels[0].keys() & labels[1].keys()) - shared
    clash = [{own[label] for label in both} for own in labels]
    taken = {*RESERVED, *(label for own, words in zip(labels, clash, strict=True) for label in own if own[label] not in words)}
    names = ({}, {})
    for own, words, suffix, new in zip(labels, clash, suffixes, names, strict=True):
        for word in [word for word in own if word in words]:
            ends = [label[len(word) :] for label in own if own[label] == word]  # 1, 2, ... where it is a state on sites
            for gap in itertools.accumulate(itertools.repeat("_")):
                new[word] = word + gap[1:] + suffix
                wanted = {new[word] + end for end in ends}
                if taken.isdisjoint(wanted) and not any(map(keyword.iskeyword, wanted)):
                    break
            taken |= wanted
    return names


def _elsewhere(state: Mapping) -> dict:
    """A start one per cent nearer to the origin: densities stay positive, fractions below one, energies below a barrier."""
    moved = {word: 0.99 * np.asarray(value, float) for word, value in state.items()}
    step = 0.0 if any(value.any() for value in moved.values()) else 0.01
    return {word: value + step if value.ndim else float(value + step) for word, value in moved.items()}


def _add(made: dict, terms: Mapping[str, str], allowed: Sequence[str]) -> set[str]:
    """Add terms to equations, in place; the states whose equations are now others."""
    keys = {word_of(key): key for key in made["equations"]}
    for key, text in mapping(terms, "terms").items():
        word, indices = target(key)
        if word not in allowed:
            raise ValueError(f"{key!r} has no equation to add to.{suggest(word, allowed)} States are {', '.join(allowed)}")
        if indices not in ((), target(keys[word])[1]):
            raise ValueError(f"the equation to add to is that of {keys[word]!r}; {key!r} given")
        text = said(text, f"term added to {word}")
        made["equations"][keys[word]] += f" - {text[1:].lstrip()}" if text.startswith("-") else f" + {text}"
    return {word_of(key) for key in terms}


def _diffusion(made: dict, systems, names, word: str, k: str, mutual: bool) -> set[str]:
    """Couple two systems through a component, in place; the states whose equations are now others."""
    for system in systems:
        if word not in system.state:
            raise ValueError(f"{system.label} has no state {word!r} to couple through.{suggest(word, system.state)}")
    shapes = [np.shape(system.state[word]) for system in systems]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{word!r} has the shapes {shapes[0]} and {shapes[1]}; one site is coupled to one")
    pair = [new.get(word, word) for new in names]
    keys = {word_of(key): key for key in made["equations"]}
    equations, mixed = made["equations"], dict(zip(pair, pair, strict=True))
    if made["kind"] == "map":
        taken = {*RESERVED, *used_names(made)}
        for own in pair:
            mixed[own], site = fresh(f"f_{own}", taken), keys[own][len(own) :]
            made["where"][mixed[own] + site], equations[keys[own]] = equations[keys[own]], mixed[own] + site
    changed = pair if mutual else pair[1:]
    for own, other in [(own, pair[1 - pair.index(own)]) for own in changed]:
        site = keys[own][len(own) :]
        equations[keys[own]] += f" + {k}*({mixed[other]}{site} - {mixed[own]}{site})"
    return set(changed)


def _finished(made: dict, constants: Mapping, changed: set[str], title: str) -> System:
    """The system, with its new constants and without the conserved quantities that what is added may change."""
    for word in constants:
        if word in used_names(made):
            raise ValueError(f"{word!r} is in use already: {', '.join(sorted(used_names(made)))}. Call the new parameter otherwise")
    made["parameters"] |= constants
    kept = {key: text for key, text in made["conserved"].items() if changed.isdisjoint(mentioned([text], made["where"]))}
    texts = [*made["equations"].values(), *made["where"].values()]
    past = any(node.head == "delayed" for text in texts for node in walk(read(text)))
    kind = "delay" if past and made["kind"] == "flow" else made["kind"]
    return System(**{**made, "conserved": kept, "title": title, "kind": kind})
