"""The README of a folder of data: what the hub reads in its head, and a datasheet for people (Gebru et al. 2021)."""

import json
from collections.abc import Mapping

from ..trajectories.schema import package_version
from .layout import name_of, parts

#: What each column is.
MEANING = {
    "split": "the part of a nested tree the row lies in, else null",
    "system": "name of the system",
    "member": "number of the trajectory",
    "time": "in the system's own unit",
    "period": "time in dominant periods of the system",
    "lyapunov_time": "time in Lyapunov times of the system",
    "component": "name of the state's component",
    "status": "of the trajectory: ok, escaped or failed",
    "state": "the exact coordinate",
    "observed": "what is seen of it: bounded, or with noise, gaps or hidden components",
    "derivative": "the right-hand side of the equations there",
    "clean": "what would be seen without corruption",
}
#: Sizes the hub knows: a count of rows below each, and its name.
SIZES = [(1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"), (1e8, "10M<n<100M")]
SIZES += [(1e9, "100M<n<1B"), (1e10, "1B<n<10B"), (1e11, "10B<n<100B"), (1e12, "100B<n<1T")]


def datasheet(configs: Mapping, files: Mapping, columns: Mapping[str, str], *, title: str, about: str, licence: str) -> str:
    """The text of README.md: YAML between dashes, then Markdown."""
    rows = sum(told["rows"] for splits in files.values() for told in splits.values())
    return "\n".join(
        [
            *_head(files, columns, title, licence, rows),
            f"# {title}",
            "",
            *([about.strip(), ""] if about.strip() else []),
            f"Trajectories of chaotic systems, integrated from their published equations with chaoslab {package_version()}.",
            "",
            *_use(files),
            *_contents(configs, files, rows),
            *_columns(columns),
            *_made(configs),
            *_limits(licence),
        ]
    )


def _head(files: Mapping, columns: Mapping[str, str], title: str, licence: str, rows: int) -> list[str]:
    """What the hub reads. JSON strings are YAML, so that no name needs care."""
    types = {"double": "float64", "float32": "float32"}
    lines = ["---", f"pretty_name: {json.dumps(title)}", f"license: {json.dumps(licence)}"]
    lines += ["task_categories:", "- time-series-forecasting", "tags:", "- chaos", "- dynamical-systems", "- time-series"]
    lines += ["size_categories:", f"- {next((name for most, name in SIZES if rows < most), 'n>1T')}", "configs:"]
    for k, (config, splits) in enumerate(files.items()):
        lines += [f"- config_name: {json.dumps(config)}", *(["  default: true"] if k == 0 else []), "  data_files:"]
        for split, told in splits.items():
            lines += [f"  - split: {json.dumps(split)}", f"    path: {json.dumps(told['path'])}"]
    lines += ["dataset_info:"]
    for config in files:
        lines += [f"- config_name: {json.dumps(config)}", "  features:"]
        for name, kind in columns.items():
            lines += [f"  - name: {json.dumps(name)}", f"    dtype: {types.get(kind, kind)}"]
    return [*lines, "---", ""]


def _use(files: Mapping) -> list[str]:
    config, splits = next(iter(files.items()))
    split = next(iter(splits))
    return [
        "```python",
        "from datasets import load_dataset",
        "",
        f'rows = load_dataset("path/of/this/folder", {json.dumps(config)}, split={json.dumps(split)})',
        "",
        "from chaoslab.datasets import read_hub  # labelled arrays, one a system",
        "",
        f'data = read_hub("path/of/this/folder")[{json.dumps(config)}][{json.dumps(split)}]',
        "```",
        "",
    ]


def _contents(configs: Mapping, files: Mapping, rows: int) -> list[str]:
    lines = ["## What is in it", "", f"{rows:,} rows.", "", "| configuration | split | systems | rows | megabytes |"]
    lines += ["|---|---|---:|---:|---:|"]
    for config, splits in files.items():
        for split, told in splits.items():
            count = len(_systems({"": {"": configs[config][split]}}))
            lines += [f"| {config} | {split} | {count} | {told['rows']:,} | {told['bytes'] / 1e6:.2f} |"]
    return [*lines, "", "Systems: " + ", ".join(_systems(configs)) + ".", ""]


def _columns(columns: Mapping[str, str]) -> list[str]:
    lines = [
        "## Columns",
        "",
        "A row is one component of one state. Columns are the same for every system, null where there is nothing.",
        "",
    ]
    lines += ["| column | type | what it is |", "|---|---|---|"]
    return lines + [f"| {name} | {kind} | {MEANING.get(name, 'a further variable')} |" for name, kind in columns.items()] + [""]


def _made(configs: Mapping) -> list[str]:
    """How the data were made: what the attributes of all say alike, and where each one's own are."""
    seen: dict[str, set] = {}
    for splits in configs.values():
        for data in splits.values():
            for _, ds in parts(data):
                for name in ("solver", "tolerance", "transient", "noise", "seed", "version", "corruption", "scaling"):
                    if name in ds.attrs:
                        seen.setdefault(name, set()).add(str(ds.attrs[name]))
    lines = ["## How it was made", "", "| attribute | value |", "|---|---|"]
    for name, values in seen.items():
        told = " or ".join(f"`{value}`" for value in sorted(values)) if len(values) <= 3 else f"{len(values)} different ones"
        lines += [f"| {name} | {told} |"]
    return [
        *lines,
        "",
        "Each system's equations, parameters and all other attributes are in the metadata of the Parquet files.",
        "",
    ]


def _limits(licence: str) -> list[str]:
    return [
        "## Licence and limits",
        "",
        f"The data are under {licence}. They are computed, not measured. A solver's error grows as the motion is chaotic: with a "
        "tolerance of 1e-12 two machines agree for about 25 Lyapunov times, ln(1e12) and a little less, and beyond that each has "
        "a trajectory of the same system, not the same trajectory. Neighbouring rows depend on each other: split by member, or "
        "in time, never at random.",
        "",
    ]


def _systems(configs: Mapping) -> list[str]:
    found = set()
    for splits in configs.values():
        for data in splits.values():
            for path, ds in parts(data):
                names = [path.rpartition("/")[2] or name_of(ds)]
                if "system" in ds.coords:
                    names = map(str, ds["system"].values.ravel())
                found |= {name for name in names if name}
    return sorted(found, key=str.lower)
