"""The wall without a browser: what it says, what it holds, what a click does; its filters in Node.js."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

import chaoslab as cl
from chaoslab.widgets.thumbnails import thumbnails
from chaoslab.widgets.wall import entries, pictures, size_of

pytest.importorskip("anywidget")
SCRIPT = Path(cl.widgets.__file__).parent / "javascript" / "wall.js"


def click(view, name):
    view._handle_custom_msg({"kind": "open", "name": name}, [])


@pytest.fixture(scope="module")
def known():
    return entries()


def test_a_card_a_system(known):
    assert [entry["name"] for entry in known] == cl.names()
    [lorenz] = [entry for entry in known if entry["name"] == "Lorenz"]
    assert (lorenz["field"], lorenz["kind"], lorenz["dimension"], lorenz["size"]) == ("atmosphere", "flow", 3, "3")
    assert lorenz["regime"] == "chaotic"
    assert abs(float(lorenz["exponent"].split("(")[0]) - 0.9056) < 0.02
    json.dumps(known)


def test_pictures_lie_one_after_the_other(known):
    begin, data = 0, pictures()
    for entry in known:
        end = begin + entry["shape"][0] * entry["shape"][1]
        assert data[begin:end] == thumbnails()[entry["name"]].points.tobytes()
        begin = end
    assert begin == len(data)


@pytest.mark.parametrize(("dimension", "size"), [(1, "1"), (4, "4"), (5, "5 to 9"), (9, "5 to 9"), (88, "10 or more"), ("", "")])
def test_dimensions_are_grouped(dimension, size):
    assert size_of(dimension) == size_of(size) == size


def test_the_state_is_typed():
    import traitlets

    view = cl.catalogue("laser", field="physics", dimension=3).children[0]
    assert view.wanted == {"text": "laser", "field": "physics", "regime": "", "kind": "", "dimension": "3"}
    with pytest.raises(traitlets.TraitError):
        view.opened = 3
    with pytest.raises(traitlets.TraitError):
        view.wanted = {"text": 3}


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"field": "fluid"}, "Did you mean 'fluids'"),
        ({"regime": "caotic"}, "Did you mean 'chaotic'"),
        ({"kind": "flows"}, "Did you mean 'flow'"),
        ({"dimension": 0}, "whole number"),
        ({"dimension": "many"}, "whole number"),
    ],
)
def test_filters_that_no_system_meets(filters, words):
    with pytest.raises(ValueError, match=words):
        cl.widgets.wall(**filters)


def test_a_click_opens_below():
    import ipywidgets

    box = cl.widgets.wall(opens=lambda name: ipywidgets.Label(f"this is {name}"))
    view, below = box.children
    assert below.children == ()
    click(view, "Lorenz")
    assert (view.opened, view.message, below.children[0].value) == ("Lorenz", "", "this is Lorenz")
    click(view, "Henon")
    assert (view.opened, below.children[0].value) == ("Henon", "this is Henon")


def test_what_does_not_open_says_why_and_leaves_what_is_there():
    import ipywidgets

    def opens(name):
        if name == "Henon":
            raise ValueError("no slider fits")
        return ipywidgets.Label(name)

    view, below = cl.widgets.wall(opens=opens).children
    click(view, "Lorenz")
    click(view, "Henon")
    assert view.message == "Henon did not open. ValueError: no slider fits"
    assert (view.opened, below.children[0].value) == ("Lorenz", "Lorenz")
    click(view, "Lorenz")
    assert view.message == ""


def test_messages_that_name_no_card_are_not_heard():
    called = []
    view = cl.widgets.wall(opens=called.append).children[0]
    for content in ({"kind": "open", "name": "__import__('os')"}, {"kind": "open"}, {"kind": "close", "name": "Lorenz"}, {}):
        view._handle_custom_msg(content, [])
    assert called == []


# --- the page's own part ------------------------------------------------------------------------------------------------


def run(node: str, known: list, program: str):
    """What a program with the module's functions and `entries` at hand returns."""
    module = "data:text/javascript;base64," + base64.b64encode(SCRIPT.read_bytes()).decode()
    text = f"const wall = await import({module!r}); const entries = JSON.parse(await new Response(process.stdin).text());\n"
    text += (
        f"console.log(JSON.stringify((() => {{ const {{ matches, rank, choices, nearest, split, fold }} = wall; {program} }})()))"
    )
    command = [node, "--input-type=module", "-e", text]
    done = subprocess.run(command, input=json.dumps(known), capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def found(node, known, **wanted) -> set[str]:
    program = f"return entries.filter((entry) => matches(entry, {json.dumps(wanted)})).map((entry) => entry.name);"
    return set(run(node, known, program))


def test_filters_agree_with_the_table(node, known):
    table = cl.table()
    assert found(node, known) == set(table.index)
    assert found(node, known, field="neuroscience") == set(cl.table(field="neuroscience").index)
    assert found(node, known, kind="map", dimension="2") == set(cl.table(kind="map", dimension=2).index)
    assert found(node, known, regime="hyperchaotic", dimension="4") == set(cl.table(regime="hyperchaotic", dimension=4).index)
    assert found(node, known, dimension="10 or more") == set(table[table.dimension >= 10].index)


def test_search_does_not_mind_case_accents_and_separators(node, known):
    assert found(node, known, text="RÖSSLER") == found(node, known, text="rossler") >= {"Rossler", "HyperRossler"}
    assert "Lorenz96" in found(node, known, text="lorenz 96")
    assert found(node, known, text="zzz") == set()
    assert found(node, known, text="laser flow") < found(node, known, text="laser")


def test_the_name_itself_comes_first(node, known):
    program = "return [...entries].sort((a, b) => rank(a, 'lorenz') - rank(b, 'lorenz')).slice(0, 4).map((entry) => entry.name);"
    assert run(node, known, program) == ["Lorenz", "Lorenz84", "Lorenz86", "Lorenz96"]


def test_choices_count_what_they_would_leave(node, known):
    counts = dict(run(node, known, "return choices(entries, { text: '', kind: 'map', field: 'fluids' }, 'field');"))
    assert counts == cl.table(kind="map").field.value_counts().reindex(sorted(set(cl.table().field)), fill_value=0).to_dict()
    sizes = [word for word, _ in run(node, known, "return choices(entries, {}, 'dimension');")]
    assert sizes == ["1", "2", "3", "4", "5 to 9", "10 or more"]


@pytest.mark.parametrize(
    ("typed", "name"), [("Lorents", "Lorenz"), ("hennon", "Henon"), ("mackeyglas17", "MackeyGlass"), ("qqq", "")]
)
def test_a_name_typed_wrong_has_a_nearest(typed, name, node, known):
    assert run(node, known, f"return nearest({typed!r}, entries.map((entry) => entry.name));") == name


def test_the_page_finds_the_numbers_of_a_picture(node, known):
    first, second = known[0], known[1]
    size = first["shape"][0] * first["shape"][1] + second["shape"][0] * second["shape"][1]
    program = f"const bytes = Uint8Array.from({{ length: {size + 3} }}, (_, k) => k % 251);"
    program += "return [...split(entries, new DataView(bytes.buffer, 3))].map(([name, data]) => [name, data.length, data[0]]);"
    lengths = run(node, known, program)
    begin = first["shape"][0] * first["shape"][1]
    assert lengths == [[first["name"], begin, 3], [second["name"], size - begin, (begin + 3) % 251]]
