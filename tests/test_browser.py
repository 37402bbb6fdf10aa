"""Each page in a real JupyterLab in a real browser, as a reader meets it. Needs Chromium; says so where there is none."""

from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
PATIENCE = 180_000  # milliseconds a step may take on a busy machine


@pytest.fixture(scope="module")
def lab(jupyterlab, tmp_path_factory):
    """The address of a JupyterLab with copies of the pages."""
    with jupyterlab(tmp_path_factory.mktemp("lab"), PAGES) as address:
        yield address


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs_and_draws(page, browser, lab, run_all):
    tab, complaints = run_all(browser, lab, page.name)
    assert complaints == []

    turning = "application/vnd.plotly" in page.read_text()
    figure = tab.locator(".js-plotly-plot" if turning else ".jp-RenderedImage img").first
    figure.scroll_into_view_if_needed(timeout=PATIENCE)
    tab.wait_for_timeout(1000)
    assert len(figure.screenshot()) > 10_000, "a blank figure compresses to almost nothing"
    assert tab.locator("mjx-container, .MathJax").count() > 0, "the equations are typeset"

    if "knobs(" in page.read_text():
        handle = tab.locator(".noUi-handle").first
        handle.scroll_into_view_if_needed(timeout=PATIENCE)
        picture = tab.locator(".jupyter-widgets.widget-image, img.widget-image").first
        before = picture.screenshot()
        handle.focus()
        for _ in range(12):
            tab.keyboard.press("ArrowRight")
        tab.wait_for_timeout(3000)
        assert picture.screenshot() != before, "the picture follows the slider"
    tab.close()
