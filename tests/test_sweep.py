"""sweep: every cell's outcome, whatever happens to the cells, the processes and the file."""

import functools
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chaoslab.sweep import StoreError, cores, sweep
from chaoslab.sweep import store as stores
from chaoslab.sweep import workers as processes
from chaoslab.sweep.cells import Outcome, identity, key_of, labelled

#: Functions in a module that other processes can import, which this file is not.
WORK = """
import os, signal, sys, time
from pathlib import Path

ran = []

def square(x):
    ran.append(x)
    return {"y": x * x}

def careful(x):
    ran.append(x)
    if x == 1:
        raise ValueError(f"no {x}")
    return {"y": x / 2}

def eventful(x, folder):
    from chaoslab.sweep import cores
    if x == 1:
        raise ValueError("the first error")
    if x == 2:
        os._exit(7)
    if x == 3 and not Path(folder, "tried").exists():
        Path(folder, "tried").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"y": x * x, "pid": os.getpid(), "cores": cores(), "omp": os.environ["OMP_NUM_THREADS"],
            "blas": os.environ["OPENBLAS_NUM_THREADS"]}

def gated(x, gate):
    while x > 1 and not Path(gate).exists():
        time.sleep(0.02)
    return {"pid": os.getpid()}
"""
SCRIPT = """
import sys
from chaoslab.sweep import sweep
from sweep_work import gated

if __name__ == "__main__":
    sweep(gated, {"x": range(5), "gate": [sys.argv[2]]}, store=sys.argv[1], workers=2)
"""

here = functools.partial(sweep, workers=0, progress=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with the module, on the path of this process and of all that it starts."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "sweep_work.py").write_text(WORK)
    (folder / "script.py").write_text(SCRIPT)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def work(folder):
    import sweep_work

    sweep_work.ran.clear()
    return sweep_work


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.sqlite"


def nothing(**cell):
    return {}


def echo(value):
    return {"again": value}


# --- cells ---------------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=()), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def same(a, b) -> bool:
    """Equality by value and type, with a NaN equal to itself and -0.0 unlike 0.0."""
    if isinstance(a, dict):
        return isinstance(b, dict) and [*a] == [*b] and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@given(values)
@example([math.nan, -math.inf, -0.0, 5e-324, 2**70])
@example({"b": "\x00\udce4", "a": None})
def test_values_come_back_as_they_went_in(value):
    [row] = here(echo, [{"value": value}]).rows
    assert same(row, {"value": value, "again": value})


@given(
    st.dictionaries(texts, values, min_size=1, max_size=4).filter(lambda cell: not cell.keys() & {"status", "failure"}),
    st.randoms(),
)
def test_a_key_knows_no_order_and_holds_the_cell(cell, random):
    shuffled = dict(random.sample([*cell.items()], len(cell)))
    assert key_of(shuffled) == key_of(cell)
    assert same(json.loads(key_of(cell)), {name: cell[name] for name in sorted(cell)})


@given(st.lists(st.integers() | st.floats() | texts, min_size=1, unique_by=lambda value: (type(value), repr(value))))
def test_unequal_cells_have_unequal_keys(column):
    table, axes = labelled({"value": column})
    assert same([cell["value"] for cell in table.values()], column)
    assert same(axes, {"value": column})


def test_a_product_of_axes_varies_its_last_one_fastest():
    rows = here(nothing, {"system": ["Lorenz", "Chua"], "seed": np.arange(2)}).rows
    assert rows == [{"system": name, "seed": seed} for name in ("Lorenz", "Chua") for seed in (0, 1)]
    assert {type(row["seed"]) for row in rows} == {int}


def test_arrays_and_their_scalars_become_lists_and_numbers():
    results = {"a": np.float32(0.5), "b": np.arange(3), "c": np.int8(3), "d": (1, np.nan), "e": np.bool_(True), "f": np.str_("x")}
    [row] = here(lambda x: results, [{"x": np.float64(2)}]).rows
    assert same(row, {"x": 2.0, "a": 0.5, "b": [0, 1, 2], "c": 3, "d": [1, math.nan], "e": True, "f": "x"})


@pytest.mark.parametrize(
    ("cells", "kind", "words"),
    [
        ([], ValueError, "no cells"),
        ({}, ValueError, "none"),
        ([{}], ValueError, "none"),
        ({"x": [], "y": [1]}, ValueError, "axis 'x' has no values"),
        ({"x": "Lorenz"}, TypeError, r"write \['Lorenz'\]"),
        ({"x": 3}, TypeError, r"write \[3\]"),
        ([{"x": 1}, {"y": 1}], ValueError, "cell 0 has x; cell 1 has y"),
        ([{"x": 1}, {"x": 1, "y": 1}], ValueError, "same keys"),
        ([{"x": 1}, {"x": 2}, {"x": 1}], ValueError, "cell 2 is there twice"),
        ({"x": [1, 1]}, ValueError, "twice"),
        ([{"x": object()}], TypeError, "cell 0 has .* an? object"),
        ([{"x": {1: 2}}], TypeError, "keys are not text"),
        ([{"x": 1j}], TypeError, "complex"),
        ({"x": [{1, 2}]}, TypeError, "the axis 'x' has .* a set"),
        (["x"], TypeError, "a cell is a mapping"),
        ([{"seconds": 1}], ValueError, "none of failure, seconds"),
    ],
)
def test_cells_that_are_none(cells, kind, words):
    with pytest.raises(kind, match=words):
        here(nothing, cells)


# --- functions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [3, "square", Executor().submit, functools.partial(Executor().submit)])
def test_what_is_no_function(function):
    with pytest.raises(TypeError, match="a function is swept"):
        here(function, {"x": [1]})


def test_a_function_that_does_not_take_the_keys_is_refused_at_once(work):
    with pytest.raises(TypeError, match=r"square does not take the keys of the cells, x, seed: .*'seed'"):
        here(work.square, {"x": [1], "seed": [2]})
    assert work.ran == []


def test_functions_that_other_processes_cannot_have(folder):
    def inner(x):
        return {}

    for function in (lambda x: {}, inner):
        with pytest.raises(TypeError, match=r"cannot be sent to other processes.*top of a module, or run it here with workers=0"):
            sweep(function, {"x": [1]}, workers=1)
    with pytest.raises(ValueError, match="let it load what is large"):
        sweep(functools.partial(echo, value="x" * 40_000), [{"value": "y"}], workers=1)


def test_names_by_which_a_store_knows_functions(work, monkeypatch):
    assert identity(work.square) == "sweep_work.square"
    bound = functools.partial(work.eventful, folder="here")
    assert identity(bound) == 'sweep_work.eventful with [[], {"folder": "here"}]'
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec("def measure(x): return {}", vars(main))
    assert identity(main.measure) == "__main__.measure"
    main.__file__ = "/somewhere/study.py"
    assert identity(main.measure) == "study.measure"
    main.__spec__ = types.SimpleNamespace(name="papers.study")
    assert identity(main.measure) == "papers.study.measure"


def test_a_lambda_has_no_name_for_a_store(path):
    with pytest.raises(ValueError, match="a lambda has none"):
        here(lambda x: {}, {"x": [1]}, store=path)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (3, "TypeError: the function gives a mapping.*gave 3"),
        (None, "TypeError: the function gives a mapping"),
        ({"y": object()}, "TypeError: the result has .* a object"),
        ({1: 2}, "TypeError: .*keys are not text"),
        ({"x": 2}, "ValueError: the result names x"),
        ({"status": 1, "y": 2}, "ValueError: the result names status"),
    ],
)
def test_results_that_are_none_are_failures(result, words):
    found = here(lambda x: result, {"x": [1]})
    assert found.rows == []
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found.failed[0]["failure"])


@pytest.mark.parametrize(
    "choice",
    [
        {"workers": -1},
        {"workers": 1.5},
        {"workers": True},
        {"executor": "threads"},
        {"client": "tcp://host:8786"},
        {"workers": 0, "client": 1},
    ],
)
def test_ways_to_run_that_are_none(choice):
    with pytest.raises((TypeError, ValueError), match=r"number of processes|futures.Executor|pip install distributed|give one"):
        sweep(nothing, {"x": [1]}, **choice)


# --- failures and resuming -----------------------------------------------------------------------------------------------


def test_what_is_done_is_not_done_again(work, path):
    first = here(work.square, {"x": [3, 1]}, store=path)
    again = here(work.square, {"x": [1, 2, 3]}, store=path)
    assert work.ran == [3, 1, 2]
    assert first.rows == [{"x": 3, "y": 9}, {"x": 1, "y": 1}]
    assert again.rows == [{"x": 1, "y": 1}, {"x": 2, "y": 4}, {"x": 3, "y": 9}]


def test_a_failure_hides_nothing_and_is_tried_again_when_asked(work, path, monkeypatch):
    found = here(work.careful, {"x": [0, 1, 2]}, store=path)
    assert found.rows == [{"x": 0, "y": 0.0}, {"x": 2, "y": 1.0}]
    [failed] = found.failed
    assert (failed["x"], failed["failure"]) == (1, "ValueError: no 1")
    assert 'in careful\n    raise ValueError(f"no {x}")' in failed["traceback"]
    assert repr(found) == "Results(2 ok, 1 failed; the first at x=1: ValueError: no 1)"
    assert here(work.careful, {"x": [0, 1, 2]}, store=path).failed == found.failed
    assert work.ran == [0, 1, 2]
    here(work.careful, {"x": [0, 1, 2]}, store=path, retry=True)
    assert work.ran == [0, 1, 2, 1]


def test_an_exit_and_a_message_that_is_no_text_are_failures():
    def leave(x):
        if x:
            sys.exit(x)
        raise OSError("no file is called \udce4")

    found = here(leave, {"x": [0, 5]})
    assert [row["failure"] for row in found.failed] == [
        "OSError: no file is called \\udce4",
        "SystemExit: 5",
    ]


def test_an_interruption_keeps_what_is_done(path):
    interrupts = [True]

    def interrupted(x):
        if x == 2 and interrupts.pop():
            raise KeyboardInterrupt
        return {"y": x}

    with pytest.raises(KeyboardInterrupt):
        here(interrupted, {"x": range(4)}, store=path)
    interrupts.append(False)
    assert stored(path) == 2
    assert [row["y"] for row in here(interrupted, {"x": range(4)}, store=path).rows] == [0, 1, 2, 3]


def test_rows_come_in_the_order_of_the_cells():
    last = threading.Event()

    def waits(x):
        assert last.wait(30) if x == 0 else last.set() is None
        return {"ended": time.perf_counter()}

    with ThreadPoolExecutor(2) as executor:
        found = sweep(waits, {"x": [0, 1]}, executor=executor, progress=False)
    assert [row["x"] for row in found.rows] == [0, 1]
    assert found.rows[0]["ended"] > found.rows[1]["ended"]


class Breaking(Executor):
    """An executor whose calls go wrong as listed, by turns; also a client that has such a one, and is closed."""

    status = "closed"

    def __init__(self, *errors):
        self.errors = [*errors]

    def submit(self, function, *args):
        error, future = self.errors.pop(0), Future()
        future.set_exception(error) if error else future.set_result(function(*args))
        return future

    def get_executor(self, pure):
        return self

    def shutdown(self, wait):
        raise ConnectionError("closed")


class KilledWorker(Exception):
    """What dask says of a cell, by this name, and of its neighbours."""


@pytest.mark.parametrize("way", ["executor", "client"])
def test_an_executor_that_breaks_is_no_failure_of_the_cells(way, work, path):
    broken = {way: Breaking(None, BrokenExecutor("out of order"), BrokenExecutor("out of order"))}
    with pytest.raises(RuntimeError, match=r"given up a cell \(BrokenExecutor: out of order\); .*the same call goes on"):
        sweep(work.square, {"x": [1, 2, 3]}, store=path, progress=False, **broken)
    assert stored(path, "ok") == stored(path) <= 1
    assert len(here(work.square, {"x": [1, 2, 3]}, store=path).rows) == 3


def test_the_neighbours_of_a_cell_that_kills_are_given_another_chance(work):
    client = Breaking(None, KilledWorker("maybe"), KilledWorker("maybe"), None, None)
    assert len(sweep(work.square, {"x": [1, 2, 3]}, client=client, progress=False).rows) == 3
    client.errors = [KilledWorker("maybe"), KilledWorker("maybe"), KilledWorker("again"), KilledWorker("again")]
    found = sweep(work.square, {"x": [1, 2]}, client=client, progress=False)
    assert [row["failure"] for row in found.failed] == ["the process that ran the cell died: again"] * 2


def test_progress_counts_what_was_done_before(work, path, capsys):
    here(work.careful, {"x": [0, 1, 2]}, store=path)
    sweep(work.careful, {"x": range(5)}, store=path, workers=0, label="halves")
    shown = capsys.readouterr().err
    assert "halves" in shown
    assert "| 3/5 [" in shown
    assert "| 5/5 [" in shown
    assert "failed=1" in shown
    sweep(work.careful, {"x": range(5)}, store=path, workers=0)
    assert capsys.readouterr().err == ""


# --- tables --------------------------------------------------------------------------------------------------------------


def measured(system, seed):
    if system == "Chua" and seed == 1:
        raise ArithmeticError("it escaped")
    return {"value": seed / 4, "error": math.inf, "exponents": [seed, -seed], "word": f"{system}{seed}", "period": None}


AXES = {"system": ["Lorenz", "Chua"], "seed": [2, 1]}


def test_a_frame_shows_failures_too():
    frame = here(measured, AXES).frame()
    names = ["system", "seed", "value", "error", "exponents", "word", "period", "status", "failure", "seconds"]
    assert list(frame.columns) == names
    assert frame.status.tolist() == ["ok", "ok", "ok", "failed"]
    assert frame.failure[3] == "ArithmeticError: it escaped"
    assert frame.value[:3].tolist() == [0.5, 0.25, 0.5]
    assert frame.iloc[3, 2:7].isna().all()
    assert list(here(nothing, [{"x": 1}]).frame().columns) == ["x", "status", "failure", "seconds"]


def test_a_dataset_has_the_axes_as_dimensions():
    ds = here(measured, AXES).dataset()
    assert ds.value.dims == ("system", "seed")
    assert ds.value.sel(system="Lorenz").values.tolist() == [0.5, 0.25]
    assert np.isnan(ds.value.sel(system="Chua", seed=1))
    assert ds.exponents.dims == ("system", "seed", "exponents_0")
    assert ds.exponents.sel(system="Chua", seed=2).values.tolist() == [2, -2]
    assert np.isnan(ds.exponents.values).sum() == 2
    assert ds.word.values.tolist() == [["Lorenz2", "Lorenz1"], ["Chua2", ""]]
    assert ds.period.isnull().all()
    assert ds.status.values.tolist() == [["ok", "ok"], ["ok", "failed"]]
    assert ds.attrs["function"].endswith("test_sweep.measured")
    assert here(nothing, {"settings": [{"units": 5}, {"units": 6}]}).dataset().settings.values[1] == '{"units": 6}'


@pytest.mark.parametrize("results", [[1, "one"], [[1], [1, 2]], [{"a": 1}, {"a": 2}], [[1, [2]], [1, [2]]]])
def test_what_is_no_array_has_no_dataset(results):
    found = here(lambda x: {"y": results[x]}, {"x": [0, 1]})
    with pytest.raises(ValueError, match="'y' is not in all cells a number, or text"):
        found.dataset()
    assert found.frame().y.tolist() == results


def test_cells_without_axes_have_no_dataset():
    with pytest.raises(ValueError, match="use frame"):
        here(nothing, [{"x": 1}]).dataset()


# --- the store -----------------------------------------------------------------------------------------------------------


def stored(path, status="%") -> int:
    """The rows in a store, read as any other program would."""
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as db:
            return db.execute("SELECT count(*) FROM cells WHERE status LIKE ?", (status,)).fetchone()[0]
    except sqlite3.OperationalError:  # it has not been made yet
        return 0


def test_a_row_says_when_with_what_and_for_how_long(work, path):
    here(work.careful, {"x": [0, 1]}, store=path, version="2")
    db = sqlite3.connect(path)
    assert db.execute("SELECT function, version FROM sweep").fetchall() == [("sweep_work.careful", "2")]
    rows = db.execute("SELECT cell, status, result, failure, seconds >= 0, versions, date FROM cells ORDER BY cell").fetchall()
    assert [row[:5] for row in rows] == [
        ('{"x": 0}', "ok", '{"y": 0.0}', None, 1),
        ('{"x": 1}', "failed", None, "ValueError: no 1", 1),
    ]
    for row in rows:
        assert f"numpy {np.__version__}" in row[5]
        assert row[6].endswith("+00:00")


def test_a_store_is_for_one_function_and_version(work, path):
    here(work.square, {"x": [1]}, store=path, version="1")
    with pytest.raises(
        StoreError, match=r"store of sweep_work.square \(version '1'\), not of sweep_work.careful \(version '1'\); give another"
    ):
        here(work.careful, {"x": [1]}, store=path, version="1")
    with pytest.raises(StoreError, match=r"version '1'\), not of .*version '2'"):
        here(work.square, {"x": [1]}, store=path, version="2")
    with pytest.raises(StoreError, match=r"not of sweep_work\.square with"):
        here(functools.partial(work.square, x=3), {"x": [1]}, store=path, version="1")


def test_files_that_are_something_else_are_left_alone(work, path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE birds (name)")
    files = {path: "an sqlite file, but no store: it holds birds", path.with_name("text"): "not a database"}
    path.with_name("text").write_text("rows\n" * 500)
    for file, words in files.items():
        before = file.read_bytes()
        with pytest.raises(StoreError, match=words):
            here(work.square, {"x": [1]}, store=file)
        assert file.read_bytes() == before
    with pytest.raises(StoreError, match="there is no folder"):
        here(work.square, {"x": [1]}, store=path.parent / "nowhere" / "rows")
    with pytest.raises(StoreError, match="cannot be used as a store: unable to open"):
        here(work.square, {"x": [1]}, store=path.parent)
    assert work.ran == []


def test_another_format_is_refused(work, path):
    here(work.square, {"x": [1]}, store=path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="in another format"):
        here(work.square, {"x": [1]}, store=path)


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory) -> bytes:
    """A store of some pages."""
    import sweep_work

    path = tmp_path_factory.mktemp("whole") / "rows"
    table = here(sweep_work.square, {"x": [0]}, store=path)
    db = stores.Store(path, table.function, "")
    with db.db:
        db.db.execute("BEGIN")
        for x in range(1, 90):
            db.put(key_of({"x": x}), Outcome("ok", json.dumps({"y": x * x}), None, None, 0.5, "versions" * 9))
    db.close()
    return path.read_bytes()


def test_a_store_without_its_end_is_refused_wherever_it_ends(work, whole, path):
    assert len(whole) > 20_000
    for size in [*range(1, len(whole), 997), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(StoreError, match="give another path, or move it away"):
            here(work.square, {"x": [1]}, store=path)
        assert path.read_bytes() == whole[:size]
    path.write_bytes(whole)
    assert len(here(work.square, {"x": range(90)}, store=path).rows) == 90
    assert work.ran == []


@pytest.mark.parametrize("noise", [b"\xa5" * 64, b"7" * 64, b"7", bytes(64)], ids=["no text", "text", "a digit", "zeros"])
def test_a_store_that_was_overwritten_anywhere_is_refused_or_whole(work, whole, path, noise):
    refused = 0
    for place in [*range(0, len(whole), 320), *range(3840, 4096, 16)]:  # closely where the columns have their names
        path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
        try:
            rows = here(work.square, {"x": range(90)}, store=path).rows
        except StoreError:
            refused += 1
        else:  # the place is not used
            assert rows == [{"x": x, "y": x * x} for x in range(90)]
    assert refused > 20
    assert work.ran == []


def test_a_row_that_was_changed_is_refused(work, path):
    here(work.square, {"x": [1, 2]}, store=path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE cells SET result = replace(result, '4', '5')")
    with pytest.raises(StoreError, match=r'the row of \{"x": 2\} has changed since it was written; give another path'):
        here(work.square, {"x": [1]}, store=path)


def test_an_empty_file_becomes_a_store(work, path):
    path.touch()
    assert here(work.square, {"x": [2]}, store=path).rows == [{"x": 2, "y": 4}]


def test_a_store_that_cannot_be_written_can_be_read(work, path, monkeypatch):
    found = here(work.square, {"x": [2]}, store=path)
    connect = sqlite3.connect
    readonly = lambda path, **options: connect(f"file:{path}?mode=ro", uri=True, **options)
    monkeypatch.setattr(stores.sqlite3, "connect", readonly)
    assert here(work.square, {"x": [2]}, store=path).rows == found.rows
    with pytest.raises(StoreError, match="readonly"):
        here(work.square, {"x": [3]}, store=path)


def test_a_store_that_another_program_holds_is_waited_for_and_then_refused(work, path, monkeypatch):
    here(work.square, {"x": [2]}, store=path)
    monkeypatch.setattr(stores, "PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        here(work.square, {"x": [2]}, store=path)
    other.execute("ROLLBACK")
    assert len(here(work.square, {"x": [2]}, store=path).rows) == 1


def test_sweeps_may_share_a_store(work, path):
    with ThreadPoolExecutor(4) as threads:
        ranges = [range(first, first + 8) for first in range(4)]
        found = [threads.submit(here, work.square, {"x": part}, store=path) for part in ranges]
        for part, results in zip(ranges, found, strict=True):
            assert [row["y"] for row in results.result().rows] == [x * x for x in part]
    assert stored(path, "ok") == 11


def test_a_store_that_another_process_makes_at_the_same_moment_is_not_made_twice(work, path, monkeypatch):
    ask = stores.Store._value

    def late(self, question):
        answer = ask(self, question)
        if question == "PRAGMA application_id" and not answer:
            monkeypatch.setattr(stores.Store, "_value", ask)
            here(work.square, {"x": [1]}, store=path)
        return answer

    monkeypatch.setattr(stores.Store, "_value", late)
    assert len(here(work.square, {"x": [1, 2]}, store=path).rows) == 2
    assert work.ran == [1, 2]


def test_a_result_stays_and_a_failure_does_not(path):
    good, bad = Outcome("ok", "{}", None, None, 1.0, "now"), Outcome("failed", None, "why", "where", 1.0, "now")
    first, second = stores.Store(path, "f", ""), stores.Store(path, "f", "")
    first.put("a", good)
    second.put("a", bad)
    second.put("b", bad)
    first.put("b", good)
    assert first.get("a") == second.get("b") == good
    assert first.statuses() == {"a": "ok", "b": "ok"}


# --- processes -----------------------------------------------------------------------------------------------------------


def test_processes_and_what_may_happen_to_them(work, tmp_path, path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    environment, mask = dict(os.environ), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    found = sweep(work.eventful, {"x": [0, 1, 4, 2, 3], "folder": [str(tmp_path)]}, store=path, workers=2, progress=False)
    assert [(row["x"], row["y"]) for row in found.rows] == [(0, 0), (4, 16), (3, 9)]
    assert {row["cores"] for row in found.rows} == {1}
    assert {(row["omp"], row["blas"]) for row in found.rows} == {("3", "1")}
    assert os.getpid() not in {row["pid"] for row in found.rows}
    assert [(row["x"], row["failure"]) for row in found.failed] == [
        (1, "ValueError: the first error"),
        (2, "the process that ran the cell died: it ended with exit code 7, twice"),
    ]
    assert dict(os.environ) == environment
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
    assert not [row["pid"] for row in found.rows if psutil.pid_exists(row["pid"])]


def alive(people: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in people if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def wait_until(what, seconds=60) -> None:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert what()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])
def test_an_end_in_the_middle_leaves_the_rows_and_no_process(end, folder, work, tmp_path, path):
    gate = tmp_path / "gate"
    command = [sys.executable, str(folder / "script.py"), str(path), str(gate)]
    script, children = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True), []
    try:
        wait_until(lambda: stored(path) == 2 or script.poll() is not None)
        children = psutil.Process(script.pid).children(recursive=True)
        assert len(children) >= 2
        if end == signal.SIGINT:
            os.killpg(script.pid, end)  # as a terminal does
        else:
            script.kill()
        words = script.communicate(timeout=60)[1]
        wait_until(lambda: not alive(children))
    finally:
        script.kill()
        for one in alive(children):
            one.kill()
    assert script.returncode == -end
    assert ("KeyboardInterrupt" in words) == (end == signal.SIGINT)
    assert "SpawnProcess" not in words
    assert stored(path) == 2
    gate.touch()
    found = here(work.gated, {"x": range(5), "gate": [str(gate)]}, store=path)
    pids = [row["pid"] for row in found.rows]
    assert set(pids[2:]) == {os.getpid()}
    assert os.getpid() not in pids[:2]


def test_a_script_without_a_guard_is_told(folder, tmp_path):
    script = tmp_path / "bare.py"
    script.write_text("import sweep_work\nfrom chaoslab.sweep import sweep\nsweep(sweep_work.square, {'x': [1]}, workers=1)\n")
    environment = os.environ | {"PYTHONPATH": str(folder)}
    run = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1
    assert "RuntimeError: no process could start on sweep_work.square" in run.stderr
    assert "if __name__ == '__main__'" in run.stderr


def test_a_function_that_other_processes_do_not_see_is_told(monkeypatch, path):
    page = types.ModuleType("page_of_a_notebook")
    exec("def measure(x): return {}", vars(page))
    monkeypatch.setitem(sys.modules, "page_of_a_notebook", page)
    with pytest.raises(RuntimeError, match=r"ModuleNotFoundError: No module named 'page_of_a_notebook'.*define it in a file"):
        sweep(page.measure, {"x": [1]}, store=path, workers=1, progress=False)
    assert stored(path) == 0


class Acted:
    """A worker in a thread: what it is given breaks it so many times, or takes a moment; it notes what else is under way."""

    deaths, under_way, log = {}, [], []

    def __init__(self, task):
        self.thread, self.ready = ThreadPoolExecutor(1), Future()
        self.ready.set_result(None)

    def submit(self, key):
        self.log.append((key, [*self.under_way]))
        self.under_way.append(key)
        return self.thread.submit(self.run, key)

    def run(self, key):
        time.sleep(0 if key in self.deaths else 0.05)
        self.under_way.remove(key)
        if self.deaths.get(key):
            self.deaths[key] -= 1
            raise BrokenProcessPool("dead")
        return key

    def end(self):
        self.thread.shutdown()
        return "it fell ill"


@pytest.mark.parametrize("workers", [1, 3])
def test_cells_whose_process_has_died_run_last_and_alone(workers, monkeypatch):
    monkeypatch.setattr(processes, "_Worker", Acted)
    monkeypatch.setattr(Acted, "log", [])
    monkeypatch.setattr(Acted, "deaths", {"once": 1, "twice": 2})
    found = dict(processes._in_processes(b"", "f", workers, ["once", "a", "twice", "b", "c"]))
    assert [key for key, _ in Acted.log[-2:]] == ["once", "twice"]
    assert [others for _, others in Acted.log[-2:]] == [[], []]
    assert found.pop("twice").failure == "the process that ran the cell died: it fell ill, twice"
    assert found == {key: key for key in ("once", "a", "b", "c")}


def test_a_process_that_dies_between_cells_is_noticed():
    class Dead:
        def submit(self, *call):
            raise BrokenProcessPool("gone")

    worker = object.__new__(processes._Worker)
    worker.executor = Dead()
    assert isinstance(worker.submit("{}").exception(), BrokenProcessPool)


def test_all_cores_are_used_outside_of_a_sweep():
    assert 1 <= cores() <= os.cpu_count()
    assert cores() == len(psutil.Process().cpu_affinity())


# --- dask ----------------------------------------------------------------------------------------------------------------


def test_a_dask_client_does_the_same(work, tmp_path, path):
    distributed = pytest.importorskip("distributed")
    import dask

    (tmp_path / "tried").touch()
    cells = lambda *points: {"x": points, "folder": [str(tmp_path)]}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        first = sweep(work.eventful, cells(4, 1), store=path, client=client, progress=False)
        found = sweep(work.eventful, cells(0, 1, 2, 3, 4, 5), store=path, client=client, progress=False)
    assert first.rows[0]["pid"] != os.getpid()
    assert first.rows[0] in found.rows
    assert first.failed[0] in found.failed
    assert [(row["x"], row["y"]) for row in found.rows] == [(0, 0), (3, 9), (4, 16), (5, 25)]  # also the neighbours of 2
    assert [row["x"] for row in found.failed] == [1, 2]
    assert found.failed[0]["failure"] == "ValueError: the first error"
    assert found.failed[1]["failure"].startswith("the process that ran the cell died: Attempted to run task")
