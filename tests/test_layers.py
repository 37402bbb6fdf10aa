"""A folder imports only from folders to its left in the sentence of the design."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "chaoslab"
LAYERS = [
    "sweep",
    "systems",
    "integrate",
    "trajectories",
    "invariants",
    "datasets",
    "forecasting",
    "transfer",
    "importance",
    "symbolic",
]
LAYERS += ["experiments", "figures", "widgets"]
FILES = sorted(PACKAGE.rglob("*.py"))
#: Loaded when used, never by `import chaoslab`.
LATE = [
    "torch",
    "distributed",
    "dask",
    "plotly",
    "sympy",
    "heyoka",
    "matplotlib",
    "scipy",
    "pybtex",
    "zarr",
    "IPython",
    "ipywidgets",
    "datasets",
    "umap",
    "sklearn",
    "aeon",
    "tsfresh",
    "numba",
]


def imported_layers(text: str, folders: list[str]) -> set[str]:
    """Layers that a file's text imports from, where the file lies in these folders of the package."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("chaoslab.")}
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            if node.level:
                module = folders[: len(folders) - node.level + 1] + module
            elif module[:1] == ["chaoslab"]:
                module = module[1:]
            else:
                continue
            found |= {module[0]} if module else {alias.name for alias in node.names}
    return found & set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_from_its_left(path):
    folders = list(path.relative_to(PACKAGE).parts[:-1])
    if folders and folders[0] in LAYERS:
        assert imported_layers(path.read_text(), folders) <= set(LAYERS[: LAYERS.index(folders[0]) + 1])


def test_the_rule_would_notice():
    assert imported_layers("from chaoslab.figures import attractor", ["systems"]) == {"figures"}
    assert imported_layers("from ..integrate.solve import solve", ["systems"]) == {"integrate"}
    assert imported_layers("from .. import widgets", ["systems"]) == {"widgets"}
    assert imported_layers("import chaoslab.trajectories", ["systems"]) == {"trajectories"}
    assert imported_layers("from .solve import solve", ["integrate"]) == {"integrate"}


@pytest.mark.parametrize("layer", [name for name in LAYERS if (PACKAGE / name).exists()])
def test_a_layer_opens_with_its_place(layer):
    module = importlib.import_module(f"chaoslab.{layer}")
    assert module.__doc__.startswith("Layer ")


def test_import_is_light():
    program = f"import sys, chaoslab; print([name for name in {LATE} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "[]"
