"""The explorer without a browser: what the kernel sends, answers and measures."""

import time

import numpy as np
import pytest

import chaoslab as cl
from chaoslab import explore
from chaoslab.systems import load
from chaoslab.widgets.explorer import Explorer
from chaoslab.widgets.latest import Latest


@pytest.fixture
def sent(monkeypatch):
    """All that widgets send, as (message, buffers)."""
    messages = []
    monkeypatch.setattr(Explorer, "send", lambda self, message, buffers=None: messages.append((message, buffers)))
    return messages


def ask(explorer, **message):
    explorer._hear(explorer, message, [])


def arrays(message, buffers):
    return {key: np.frombuffer(part, np.float32) for (key, _), part in zip(message["arrays"], buffers, strict=True)}


def measured(explorer, seconds=30):
    """What was measured of the view in hand, once the background has it."""
    begun = time.monotonic()
    while explorer.measured is None or explorer.measured["of"][1] != explorer.view["parameters"]:
        assert time.monotonic() - begun < seconds, "nothing was measured"
        time.sleep(0.05)
    return explorer.measured


def test_a_view_begins_with_the_system_as_it_is():
    explorer = explore("Lorenz")
    assert explorer.view["parameters"] == {"sigma": 10, "rho": 28, "beta": 8 / 3}
    assert explorer.view["axes"] == ["x", "y", "z"]
    assert explorer.view["twins"] is False
    assert explorer.system == load("Lorenz")
    assert explorer.measured["regime"] == "chaotic"
    assert ["Rossler", load("Rossler").title] in explorer.names
    assert explorer.recipe["formula"].startswith("<math")


def test_every_system_has_an_explorer_of_its_own():
    assert cl.explore is explore
    assert load("Henon").explore().system == load("Henon")
    own = cl.System({"x": "y", "y": "-a*x"}, {"a": 2.0}, {"x": 1.0, "y": 0.0})
    assert own.explore().turn(a=3).system.parameters["a"] == 3


def test_parameters_are_turned_from_python():
    explorer = explore("Lorenz").turn(rho=99.96)
    assert explorer.system == load("Lorenz").with_(rho=99.96)
    assert explorer.view["parameters"]["sigma"] == 10
    with pytest.raises(ValueError, match=r"no slider 'roh'. Did you mean 'rho'"):
        explorer.turn(roh=3)
    with pytest.raises(TypeError, match="rho must be a number; 'high' given"):
        explorer.turn(rho="high")
    with pytest.raises(ValueError, match="rho must be finite"):
        explorer.turn(rho=float("nan"))
    assert explorer.system == load("Lorenz").with_(rho=99.96), "what is refused changes nothing"


def test_states_that_were_moved_are_in_the_system():
    explorer = explore("Lorenz").turn(x=1.5)
    assert explorer.system.initial.tolist() == [1.5, *load("Lorenz").initial[1:]]
    chain = explore("Hopfield")
    chain.turn(**{chain.recipe["components"][0]: 0.25})
    with pytest.raises(ValueError, match="no slider 'K'"):
        chain.turn(K=3)
    assert chain.system.initial.tolist() == [0.25, *load("Hopfield").initial[1:]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"color": "speed"}, "look.. sets no 'color'. Did you mean 'colour'"),
        ({"colour": "sped"}, "colour is one of .*Did you mean 'speed'"),
        ({"periods": 0}, "periods, in periods, must be positive"),
        ({"samples": 2.5}, "samples, a period, must be a whole number"),
        ({"axes": ["x", "q"]}, "no axis 'q'"),
        ({"axes": ["x"]}, "two or three axes"),
        ({"twins": -1}, "twins, .* must be positive"),
        ({"periods": 1e9}, "at most 200000 points; 1e.09 x 100 given"),
    ],
)
def test_what_cannot_be_looked_at(options, message):
    with pytest.raises(ValueError, match=message):
        explore("Lorenz").look(**options)


def test_axes_are_names():
    with pytest.raises(TypeError, match=r"axes are names, as in \['x', 'y', 'z'\]; 3 given"):
        explore("Lorenz").look(axes=3)
    assert explore("Lorenz").look(twins=True).view["twins"] == 1e-6


def test_an_outdated_measurement_is_dropped():
    explorer = explore("Henon").turn(a=0.3)
    old, before, system = (
        [explorer.recipe["name"], explorer.view["parameters"], explorer.view["state"]],
        explorer.measured,
        explorer.system,
    )
    explorer.turn(a=1.2)
    explorer._measure(old, system)
    assert explorer.measured == before


def test_looking_changes_the_view_alone():
    explorer = explore("Lorenz").look(colour="speed", twins=1e-6, periods=50, axes=["x", "z"])
    assert {key: explorer.view[key] for key in ("colour", "twins", "periods", "axes")} == {
        "colour": "speed",
        "twins": 1e-6,
        "periods": 50,
        "axes": ["x", "z"],
    }
    assert explorer.system == load("Lorenz")


def test_a_look_is_answered_with_the_exact_picture(sent):
    explorer = explore("Lorenz").look(periods=20, samples=100, transient=0)
    ask(explorer, kind="look", id=7, view=explorer.view)
    message, buffers = sent[-1]
    found = arrays(message, buffers)
    assert (message["kind"], message["id"], message["status"]) == ("exact", 7, "")
    exact = cl.simulate("Lorenz", 20, 100).state[0]
    assert np.allclose(found["series"].reshape(3, -1)[:, :1000], exact.T[:, :1000], rtol=1e-4, atol=1e-4)
    assert len(found["points"]) == 3 * 2000
    assert "twin" not in found


def test_twins_come_with_their_distance(sent):
    explorer = explore("Lorenz").look(twins=1e-6, periods=40)
    ask(explorer, kind="look", id=1, view=explorer.view)
    found = arrays(*sent[-1])
    assert found["distance"][0] == pytest.approx(1e-6, rel=0.01)
    assert found["distance"].max() > 0.3
    assert len(found["twin"]) == len(found["points"])


def test_what_escapes_says_so_and_the_next_view_recovers(sent):
    explorer = explore("Henon").turn(a=2.5)
    ask(explorer, kind="look", id=1, view=explorer.view)
    assert "escapes at t" in sent[-1][0]["status"]
    explorer.turn(a=1.4)
    ask(explorer, kind="look", id=2, view=explorer.view)
    assert sent[-1][0]["status"] == ""
    assert len(arrays(*sent[-1])["points"]) == 3 * explorer.view["periods"]


def test_parameters_in_view_are_measured_in_the_background(sent):
    explorer = explore("Henon").turn(a=0.3)
    ask(explorer, kind="look", id=1, view=explorer.view)
    assert measured(explorer)["regime"] == "fixed point"
    assert measured(explorer)["largest_exponent"] < 0


def test_what_cannot_be_measured_is_told(sent, monkeypatch):
    def broken(system, seconds, period):
        raise ValueError("no way")

    monkeypatch.setattr("chaoslab.widgets.explorer.measure", broken)
    explorer = explore("Henon").turn(a=0.3)
    ask(explorer, kind="look", id=1, view=explorer.view)
    assert measured(explorer)["complaint"] == "ValueError: no way"


def test_another_system_is_opened_by_name(sent):
    explorer = explore("Lorenz")
    ask(explorer, kind="open", name="rössler")
    assert explorer.system == load("Rossler")
    assert explorer.view["parameters"] == {"a": 0.2, "b": 0.2, "c": 5.7}
    ask(explorer, kind="open", name="Rosler")
    assert explorer.system == load("Rossler")
    assert sent[-1][0]["kind"] == "complaint"
    assert "Did you mean 'Rossler'" in sent[-1][0]["text"]


def test_a_wrong_name_is_refused():
    with pytest.raises(KeyError, match="Did you mean 'Lorenz'"):
        explore("Lorentz")
    with pytest.raises(TypeError, match=r"explore\(\) takes a System or a name"):
        explore(3)


def test_only_the_latest_counts():
    latest, done = Latest(), []
    latest.ask(lambda: (time.sleep(0.2), done.append(1)))
    time.sleep(0.05)
    for k in (2, 3, 4):
        latest.ask(lambda k=k: done.append(k))
    time.sleep(0.6)
    assert done == [1, 4]
    latest.ask(lambda: done.append(5))
    time.sleep(0.2)
    assert done == [1, 4, 5]


def test_the_file_of_its_own_holds_what_it_needs(tmp_path):
    page = explore("Lorenz").turn(rho=99.96).save_html(tmp_path / "lorenz.html").read_text(encoding="utf-8")
    assert "99.96" in page
    assert "</script" not in page.split('<script type="module">')[1].split("</script>")[0]
    for word in ("http://", "https://", "//cdn"):
        assert word not in page.split('id="saved">')[0], "nothing is fetched"
    delayed = explore("MackeyGlass").save_html(tmp_path / "delayed.html").read_text(encoding="utf-8")
    assert '"saved"' in delayed
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*elsewhere"):
        explore("Lorenz").save_html(tmp_path / "elsewhere" / "lorenz.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delayed.html", "lorenz.html"], "nothing unfinished is left"
