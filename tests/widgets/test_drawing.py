"""The explorer's drawing in a real browser: a scene that turns and flows, plots, and what is exported of them."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.image import imread

SVG = "{http://www.w3.org/2000/svg}"
READY = """async () => {
  window.modules = {};
  for (const name of ["colours", "ticks", "camera", "axes", "ribbons", "scene", "plot", "pictures"])
    modules[name] = await import(`./${name}.js`);
  window.home = () => {
    const home = document.createElement("div");
    home.style.cssText = "width: 400px; height: 300px";
    document.body.style.margin = 0;
    document.body.replaceChildren(home);
    return home.appendChild(document.createElement("canvas"));
  };
  window.curve = (count, way) => {
    const points = new Float32Array(3 * count), colour = new Float32Array(count);
    for (let i = 0; i < count; i++) points.set(way(i / (count - 1)), 3 * i), (colour[i] = i / (count - 1));
    return { points, colour };
  };
  window.knot = (count) => curve(count, (s) => {
    const t = 2 * Math.PI * s, r = 0.65 + 0.3 * Math.cos(3 * t);
    return [r * Math.cos(2 * t), r * Math.sin(2 * t), 0.8 * Math.sin(3 * t)];
  });
  window.pixels = (fine = true) => { // rows from the top, RGBA
    const { gl, canvas } = scene, bytes = new Uint8Array(4 * canvas.width * canvas.height);
    scene.draw(fine);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    return [canvas.height, canvas.width, btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""))];
  };
  window.waited = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
}"""


@pytest.fixture(scope="module")
def page(bare):
    bare.evaluate(READY)
    return bare


@pytest.fixture
def scene(page):
    """A page with a scene of a trefoil knot."""
    page.evaluate("() => { window.scene = new modules.scene.Scene(home(), { title: 'a knot' }); scene.setTracks([knot(3000)]); }")
    yield page
    page.evaluate("() => scene.dispose()")


def picture(page, fine: bool = True) -> np.ndarray:
    """The graphics card's picture, (row, column, RGBA)."""
    height, width, data = page.evaluate("fine => pixels(fine)", fine)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[::-1]


def rests(page) -> bool:
    """Whether half a second passes without a frame, after what was asked for is drawn."""
    page.evaluate("() => waited(500)")
    before = page.evaluate("() => scene.frames")
    page.evaluate("() => waited(500)")
    return page.evaluate("() => scene.frames") == before


def test_a_track_is_drawn_and_an_empty_one_is_not(scene):
    assert (picture(scene)[..., 3] > 0).sum() > 2000
    scene.evaluate("() => scene.setTracks([])")
    assert picture(scene).max() == 0
    scene.evaluate("() => scene.setTracks([{ points: new Float32Array(0), colour: null }])")
    assert picture(scene).max() == 0


@pytest.mark.parametrize("flat", [False, True])
def test_a_point_lies_where_the_camera_says(scene, flat):
    place = [0.5, -0.25, 0.75]
    expected = scene.evaluate(
        """([place, flat]) => { scene.flat = flat;
        scene.setTracks([{ points: Float32Array.from(place), colour: null, dots: true }]);
        const { camera, width, height } = scene, { matrix, project } = modules.camera;
        return project(matrix(camera, width, height, flat), width, height, ...place); }""",
        [place, flat],
    )
    rows, columns = np.nonzero(picture(scene)[..., 3] > 0)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(expected[:2], abs=0.6)


def test_the_middle_of_the_cube_is_the_middle_of_a_level_view(page):
    x, y, w = page.evaluate(
        """() => { const { matrix, project, HOME } = modules.camera, level = { ...HOME, elevation: 0 };
        return project(matrix(level, 400, 300, false), 400, 300, 0, 0, 0); }"""
    )
    assert (x, y, w) == pytest.approx((200, 150, 4.8), abs=1e-4)


def test_dragging_turns_and_pans(scene):
    before = picture(scene)
    scene.mouse.move(200, 150)
    scene.mouse.down()
    scene.mouse.move(250, 130, steps=4)
    scene.mouse.up()
    camera = scene.evaluate("() => scene.camera")
    assert (camera["azimuth"], camera["elevation"]) == pytest.approx((-55 - 20, 16 - 8))
    assert (picture(scene) != before).any()
    scene.evaluate("() => { scene.reset(); scene.flat = true; }")
    scene.mouse.down()
    scene.mouse.move(260, 130)
    scene.mouse.up()
    camera = scene.evaluate("() => scene.camera")
    assert camera["azimuth"] == -55, "a flat picture is moved, not turned"
    assert camera["panX"] > 0
    scene.mouse.dblclick(200, 150)
    assert scene.evaluate("() => scene.camera.panX") == 0


def test_nothing_is_drawn_while_nothing_changes(scene):
    assert rests(scene)
    frames = scene.evaluate("() => scene.frames")
    scene.evaluate("async () => { scene.camera = { ...scene.camera }; scene.labels = ['x', 'y', 'z']; await waited(300); }")
    assert scene.evaluate("() => scene.frames") == frames, "the same camera again is no change"
    scene.evaluate("async () => { scene.camera = { azimuth: 10 }; await waited(100); }")
    assert scene.evaluate("() => scene.frames") > frames


def test_a_comet_runs_pauses_and_goes(scene):
    whole = picture(scene)
    scene.evaluate(
        "async () => { window.heads = []; scene.onhead = (head) => heads.push(head); scene.play(1000); await waited(700); }"
    )
    heads = scene.evaluate("() => heads")
    assert len(heads) > 2
    assert (np.diff(heads) > 0).all()
    scene.evaluate("() => scene.pause()")
    assert rests(scene)
    paused = picture(scene)
    assert (paused != whole).any()
    lit = whole[..., 3] > 0
    assert np.median(paused[lit][:, 3]) < 0.5 * np.median(whole[lit][:, 3]), "what is not the trail is faint"
    scene.evaluate("() => scene.stop()")
    assert scene.evaluate("() => scene.head") is None
    np.testing.assert_array_equal(picture(scene), whole)


def test_a_comet_starts_again_at_the_end(scene):
    scene.evaluate("async () => { scene.head = 2990; scene.play(400); await waited(500); scene.pause(); }")
    assert scene.evaluate("() => scene.head") < 1000


def test_the_head_stands_between_two_samples(scene):
    centre = """head => { scene.flat = true; scene.head = head; scene.setTracks([{ tint: "#0072B2",
        points: Float32Array.from([-1, 0, 0, 0, 0, 0, 1, 0, 0]), colour: null }]); return modules.camera.flatArea(400, 300); }"""
    area = scene.evaluate(centre, 0.5)
    drawn = picture(scene)
    columns = np.nonzero((drawn[..., 3] == 255).sum(axis=0) > 4)[0]  # the round head is higher than the line
    assert columns.mean() + 0.5 == pytest.approx(area["left"] + area["width"] * (0.5 - 0.25 * 0.94), abs=1)


def test_samples_that_are_not_finite_are_a_gap(scene):
    scene.evaluate(
        """() => { scene.flat = true; const line = curve(101, (s) => [2 * s - 1, 0, 0]);
        for (let i = 45; i <= 55; i++) line.points[3 * i] = NaN; scene.setTracks([line]); }"""
    )
    for fine, beside in ((True, 0.13), (False, 0.3)):  # a moving line leaves out a little more
        lit = (picture(scene, fine)[..., 3] > 0).any(axis=0)
        area = scene.evaluate("() => modules.camera.flatArea(400, 300)")
        at = lambda x, area=area: int(area["left"] + area["width"] * (0.5 + 0.47 * x))
        assert lit[at(-0.9) : at(-beside)].all()
        assert not lit[at(-0.07) : at(0.07)].any()
        assert lit[at(beside) : at(0.9)].all()


def test_a_moving_picture_is_drawn_with_fewer_points_and_looks_the_same(scene):
    paces = """() => { const circle = (count) => curve(count, (s) => [Math.cos(2 * Math.PI * s), Math.sin(2 * Math.PI * s), 0]);
        return [20000, 12, 300].map((count) => { scene.setTracks([circle(count)]); return scene.ribbons.pace(0, 0.005); }); }"""
    assert scene.evaluate(paces) == [4, 0.5, 4]
    rough, fine = (picture(scene, wanted)[..., 3] > 60 for wanted in (False, True))
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    wider = lambda lit: np.any([np.roll(lit, shift, (0, 1)) for shift in shifts], axis=0)
    assert (rough & ~wider(fine)).sum() == 0, "no line more than a pixel beside the true one"
    assert (fine & ~wider(rough)).sum() <= 2, "but for the very end, where it tapers"


def test_after_moving_the_picture_is_drawn_in_full(scene):
    moving = scene.evaluate(
        """async () => { const paces = [], draw = scene.ribbons.draw.bind(scene.ribbons);
        scene.ribbons.draw = (place, how) => { paces.push(how.pace); draw(place, how); };
        scene.camera = { azimuth: 20 }; await waited(700); return paces; }"""
    )
    assert moving[0] > 0.5
    assert moving[-1] == 0.5


def test_the_keyboard_turns_zooms_and_resets(scene):
    canvas = scene.locator("canvas[role=img]")
    assert canvas.get_attribute("aria-label").startswith("a knot: x, y, z. Arrow keys turn")
    canvas.focus()
    for key in ("ArrowRight", "ArrowUp", "+"):
        scene.keyboard.press(key)
    camera = scene.evaluate("() => scene.camera")
    assert (camera["azimuth"], camera["elevation"]) == (-60, 11)
    assert camera["distance"] < 4.8
    scene.keyboard.press("0")
    assert scene.evaluate("() => scene.camera") == scene.evaluate("() => ({ ...modules.camera.HOME })")


def test_the_wheel_zooms_only_where_the_reader_has_clicked(scene):
    """A page that is scrolled past the picture must keep scrolling."""
    wheel = """() => { const event = new WheelEvent("wheel", { deltaY: -100, bubbles: true, cancelable: true });
        scene.canvas.dispatchEvent(event); return [event.defaultPrevented, scene.camera.distance]; }"""
    assert scene.evaluate(wheel) == [False, 4.8]
    scene.evaluate("() => scene.canvas.focus()")
    prevented, distance = scene.evaluate(wheel)
    assert prevented
    assert distance < 4.8


def test_zooming_keeps_the_place_under_the_pointer(scene):
    scene.evaluate("() => { scene.flat = true; scene.canvas.focus(); }")
    place = """() => { const { camera, width, height } = scene, m = modules.camera.matrix(camera, width, height, true);
        return [(2 * 300 / width - 1 - m[12]) / m[0], (1 - 2 * 100 / height - m[13]) / m[5]]; }"""
    before = scene.evaluate(place)
    scene.mouse.move(300, 100)
    scene.mouse.wheel(0, -120)
    scene.evaluate("() => waited(200)")
    assert scene.evaluate("() => scene.camera.distance") < 4.8
    assert scene.evaluate(place) == pytest.approx(before, abs=1e-5)


def test_a_lost_context_is_survived(scene):
    before = picture(scene)
    scene.evaluate(
        """async () => { const handle = scene.gl.getExtension("WEBGL_lose_context"); handle.loseContext(); await waited(100);
        scene.setTracks([knot(3000)]); scene.draw(); handle.restoreContext(); await waited(200); }"""
    )
    np.testing.assert_array_equal(picture(scene), before)


def test_without_webgl_the_error_says_so(page):
    words = page.evaluate(
        """() => { const canvas = home(); canvas.getContext = () => null;
        try { new modules.scene.Scene(canvas); } catch (error) { return error.message; } }"""
    )
    assert "WebGL 2" in words


def test_two_scenes_do_not_disturb_each_other_and_one_can_go(scene):
    before = picture(scene)
    left = scene.evaluate(
        """async () => { const place = document.body.appendChild(document.createElement("div"));
        place.style.cssText = "width: 300px; height: 200px";
        const other = new modules.scene.Scene(place.appendChild(document.createElement("canvas")));
        other.setTracks([knot(500)]); other.camera = { azimuth: 90 }; other.play(100); await waited(200); other.dispose();
        const frames = other.frames; await waited(300); return [other.frames - frames, place.children.length]; }"""
    )
    assert left == [0, 1]
    np.testing.assert_array_equal(picture(scene), before)


def test_dark_and_light_colours(scene):
    light = picture(scene)
    scene.evaluate("() => (scene.dark = true)")
    assert (picture(scene) != light).any()
    scene.evaluate("() => (scene.dark = false)")
    np.testing.assert_array_equal(picture(scene), light)


@pytest.mark.parametrize(("name", "error"), [("viridis", 6), ("cividis", 7)])
def test_the_scales_are_the_published_ones(page, name, error):
    table = np.array(page.evaluate("name => [...modules.colours.map(name)]", name)).reshape(256, 4)
    published = 255 * colormaps[name](np.arange(256))
    assert np.abs(table - published).max() <= error
    assert "there are viridis" in page.evaluate(
        "() => { try { modules.colours.map('jet'); } catch (error) { return error.message; } }"
    )


def test_the_ground_is_seen(page):
    seen = page.evaluate(
        """() => { const { isDark } = modules.colours, canvas = home(), seen = [isDark(canvas)];
        document.body.style.background = "rgb(20, 20, 30)"; seen.push(isDark(canvas));
        canvas.parentElement.style.background = "white"; seen.push(isDark(canvas));
        document.body.dataset.jpThemeLight = "false"; seen.push(isDark(canvas));
        document.body.dataset.jpThemeLight = "true"; seen.push(isDark(canvas));
        delete document.body.dataset.jpThemeLight; document.body.style.background = ""; return seen; }"""
    )
    assert seen == [False, True, False, True, False]
    changes = page.evaluate(
        """async () => { const seen = [], end = modules.colours.watchDark(home(), (dark) => seen.push(dark));
        const dark = async (words) => { document.body.dataset.jpThemeLight = words; await waited(50); };
        await dark("false"); await dark("true"); end(); await dark("false");
        delete document.body.dataset.jpThemeLight; return seen; }"""
    )
    assert changes == [True, False]


def test_round_numbers(page):
    ticks = lambda *ends: page.evaluate("ends => modules.ticks.ticks(...ends)", ends)
    assert ticks(0, 10, 5) == [0, 2, 4, 6, 8, 10]
    assert ticks(-18, 19, 2) == [-10, 0, 10], "one number alone says nothing of the scale"
    assert ticks(0.001, 0.0042, 4) == pytest.approx([0.001, 0.002, 0.003, 0.004])
    assert ticks(1, 1) == ticks(0, float("inf")) == []
    words = page.evaluate(
        "() => [[-2.5, 0.5], [0.1 + 0.2, 0.1], [1e6, 1e5], [-3e-7, 1e-7], [0, 1]].map((pair) => modules.ticks.format(...pair))"
    )
    assert words == ["−2.5", "0.3", "10⁶", "−3·10⁻⁷", "0"]
    assert [row["text"] for row in page.evaluate("() => modules.ticks.decades(-6.2, 0.3, 4)")] == ["10⁻⁶", "10⁻⁴", "10⁻²", "1"]


@pytest.fixture
def plot(page):
    page.evaluate("() => { window.plot = new modules.plot.Plot(home(), { onpick: (x) => (window.picked = x) }); }")
    yield page
    page.evaluate("() => plot.dispose()")


def inked(page, tint: str) -> np.ndarray:
    """Which pixels of the plot have about a colour."""
    data = page.evaluate("() => { plot.draw(); return plot.canvas.toDataURL().split(',')[1]; }")
    pixels = imread(io.BytesIO(base64.b64decode(data)))[..., :3]
    wanted = np.array([int(tint[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.abs(pixels - wanted).max(axis=-1) < 0.25


def test_a_single_spike_among_many_samples_is_seen(plot):
    plot.evaluate(
        """() => { const y = new Float32Array(100000); y[70000] = 1;
        plot.set({ x: Float32Array.from(y, (_, i) => i), lines: [{ y, tint: "#D55E00" }], xlabel: "time" }); }"""
    )
    columns = np.nonzero(inked(plot, "#D55E00").sum(axis=0) > 50)[0]
    assert len(columns) in (1, 2)
    assert columns.mean() + 0.5 == pytest.approx(54 + 0.7 * (400 - 54 - 14), abs=1.5)
    assert plot.locator("canvas").get_attribute("aria-label").endswith("over time")


def test_growth_is_a_straight_line_on_a_log_scale(plot):
    plot.evaluate(
        """() => { const x = Float32Array.from({ length: 300 }, (_, i) => i / 10), y = x.map((t) => 1e-6 * Math.exp(0.5 * t));
        y[0] = 0; // nothing to draw on a log scale
        plot.set({ x, lines: [{ y, tint: "#D55E00", label: "distance" }], log: true, xlabel: "time",
          marks: [{ line: { from: [0, 1e-6], to: [30, 1e-6 * Math.exp(15)] }, tint: "#009E73", label: "slope 0.5" },
            { x: 20, label: "end" }] }); }"""
    )
    rows, columns = np.nonzero(inked(plot, "#D55E00")[24:] | inked(plot, "#009E73")[24:])
    slope, middle = np.polyfit(columns, rows, 1)
    assert slope < 0
    assert np.abs(rows - middle - slope * columns).max() < 4


def test_the_cursor_moves_without_the_curves_being_drawn_again(plot):
    plot.evaluate(
        "() => { const x = [0, 1, 2, 3, 4]; plot.set({ x, lines: [{ y: [0, 2, 1, 3, 2], tint: '#D55E00' }] }); plot.draw(); }"
    )
    frames, before = plot.evaluate("() => plot.frames"), inked(plot, "#1f2328")
    plot.evaluate("() => plot.cursor(2)")
    after = inked(plot, "#1f2328")
    assert plot.evaluate("() => plot.frames") == frames
    assert np.nonzero(after & ~before)[1].mean() == pytest.approx(54 + (400 - 54 - 14) / 2, abs=1.5)
    plot.mouse.move(54 + 332 / 4, 100)
    plot.mouse.down()
    plot.mouse.up()
    assert plot.evaluate("() => picked") == pytest.approx(1, abs=0.01)


def test_a_png_shows_the_scene_on_its_ground(scene):
    data = scene.evaluate(
        """async () => { const blob = await modules.pictures.png(scene), reader = new FileReader();
        return new Promise((done) => { reader.onload = () => done(reader.result.split(",")[1]); reader.readAsDataURL(blob); }); }"""
    )
    pixels = imread(io.BytesIO(base64.b64decode(data)))
    assert pixels.shape[:2] == (300 + 34, 400), "the title stands above"
    assert (pixels[0, 0, :3] == 1).all()
    assert (pixels[34:, :, :3].min(axis=-1) < 0.8).sum() > 1500


def test_an_svg_holds_the_lines_the_camera_sees(scene):
    text, expected = scene.evaluate(
        """() => { scene.labels = ["x", "y < 0", "z & w"]; const { camera, width, height, tracks } = scene;
        const m = modules.camera.matrix(camera, width, height, false);
        const at = (i) => modules.camera.project(m, width, height, ...tracks[0].points.slice(3 * i, 3 * i + 3));
        return [modules.pictures.svg(scene), Array.from({ length: 3000 }, (_, i) => at(i))]; }"""
    )
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}title").text == "a knot"
    words = {node.text for node in root.iter(f"{SVG}text")}
    assert {"a knot", "x", "y < 0", "z & w"} <= words
    vertices = lambda node: np.array([pair.split(",") for pair in node.get("points").split()], float)
    lines = [vertices(node) for node in root.iter(f"{SVG}polyline")]
    drawn = np.concatenate(lines)
    truth = np.array(expected)[:, :2]
    away = lambda a, b: np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1).min(axis=1))
    assert away(drawn, truth).max() < 0.1, "every vertex is a sample, to a tenth of a pixel"
    assert len(drawn) < 600, "samples on a straight line are left out"
    assert _from_segments(truth, lines).max() < 0.3, "and every other lies on the line, to a third of a pixel"
    assert len({node.get("stroke") for node in root.iter(f"{SVG}polyline")}) > 15


def _from_segments(places: np.ndarray, lines: list[np.ndarray]) -> np.ndarray:
    """How far each place lies from the nearest of the segments of some lines."""
    a, b = (np.concatenate([line[part] for line in lines]) for part in (slice(-1), slice(1, None)))
    length = ((b - a) ** 2).sum(-1)
    share = np.clip(((places[:, None] - a) * (b - a)).sum(-1) / np.where(length > 0, length, 1), 0, 1)
    return np.sqrt((((a + share[..., None] * (b - a)) - places[:, None]) ** 2).sum(-1).min(axis=1))


def test_an_svg_of_a_map_has_a_dot_for_every_iterate(scene):
    text = scene.evaluate(
        """() => { scene.flat = true; scene.setTracks([{ ...knot(100), colour: null, dots: true }]);
        return modules.pictures.svg(scene); }"""
    )
    paths = [node.get("d") for node in ElementTree.fromstring(text).iter(f"{SVG}path")]
    assert sum(len(re.findall("M", path)) for path in paths) == 100


def test_a_picture_is_offered_under_its_name(scene):
    with scene.expect_download() as offered:
        scene.evaluate("() => modules.pictures.download('knot.svg', modules.pictures.svg(scene))")
    assert offered.value.suggested_filename == "knot.svg"
