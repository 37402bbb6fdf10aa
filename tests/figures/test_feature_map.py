"""The map of systems, drawn."""

import numpy as np
import pytest

from chaoslab import figures
from chaoslab.datasets import catalogue_map, place
from chaoslab.trajectories import simulate


@pytest.fixture(scope="module")
def placed():
    return place(simulate("Rossler", periods=80, samples=30, transient=50))


def test_points_lie_where_the_map_has_them(placed):
    map = catalogue_map()
    ax = figures.feature_map_still(map, {"mine": placed}, title="Mine")
    *clusters, mark = ax.collections
    drawn = np.concatenate([one.get_offsets() for one in clusters])
    assert sorted(drawn.tolist()) == sorted(map.position.values.tolist())
    assert [len(one.get_offsets()) for one in clusters] == np.bincount(map.cluster).tolist()
    assert mark.get_offsets().tolist() == [placed.position.values.tolist()]
    assert ax.get_title() == "Mine"
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[-1] == "mine"
    named = {text.get_text(): text.xy for text in ax.texts}
    assert {"Rossler"} <= set(named)
    for name, where in named.items():
        assert np.array_equal(where, map.position.sel(system=name))


def test_asked_names_are_all_there_and_names_cover_no_other():
    map = catalogue_map()
    ax = figures.feature_map_still(map, names=["Lorenz", "LorenzCoupled", "LorenzStenflo"])
    assert [text.get_text() for text in ax.texts] == ["Lorenz", "LorenzCoupled", "LorenzStenflo"]
    free = figures.feature_map_still(map)
    free.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in free.texts]
    assert len(boxes) > 20
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
    with pytest.raises(ValueError, match="Lorenz"):
        figures.feature_map_still(map, names=["Lorentz"])


def test_the_hover_names_each_system(placed):
    map = catalogue_map()
    figure = figures.feature_map(map, placed)
    *clusters, mark = figure.data
    names = [str(row[0]) for trace in clusters for row in trace.customdata]
    assert sorted(names) == sorted(map.system.values)
    trace = clusters[int(map.cluster.sel(system="Lorenz"))]
    k = [str(row[0]) for row in trace.customdata].index("Lorenz")
    assert (trace.x[k], trace.y[k]) == tuple(map.position.sel(system="Lorenz").values)
    assert "Rossler" in mark.hovertemplate


def test_other_things_are_refused(placed):
    with pytest.raises(TypeError, match="catalogue_map"):
        figures.feature_map(placed)
    with pytest.raises(TypeError, match=r"place\(\) returns"):
        figures.feature_map_still(catalogue_map(), {"mine": catalogue_map()})
