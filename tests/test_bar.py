import threading

import pytest
import tqdm.auto

from chaoslab.sweep import Bar, sweep


@pytest.fixture
def made(monkeypatch):
    bars, real = [], tqdm.auto.tqdm

    def watched(*args, **kwargs):
        bars.append(real(*args, **{**kwargs, "disable": False}))
        return bars[-1]

    monkeypatch.setattr(tqdm.auto, "tqdm", watched)
    return bars


def test_short_work_makes_no_bar_at_all(made):
    with Bar(3, "quick") as bar:
        for _ in range(3):
            bar.update()
    assert bar.done == 3
    assert not made


def test_long_work_is_shown_with_all_that_was_done_before(made):
    with Bar(10, "slow", initial=2, unit="cell") as bar:
        bar.update(3)
        assert not made
        bar._start -= 60  # as if a minute had passed
        bar.update(1, failed=1)
        assert made[0].n == 6
        assert made[0].initial == 2
        assert made[0].postfix == "failed=1"
        assert made[0].format_dict["elapsed"] > 59
        bar.update(4)
    assert len(made) == 1
    assert made[0].n == 10


def test_a_bar_without_patience_is_there_before_the_first_result(made):
    with Bar(10, "cells", patience=0.0):
        assert made[0].n == 0


def test_a_hidden_bar_is_never_made(made):
    assert list(Bar(4, "hidden", shown=False, patience=0.0).over(range(4))) == [0, 1, 2, 3]
    assert not made


def test_items_are_counted_when_the_next_is_asked_for(made):
    bar = Bar(4, "items", patience=0.0)
    assert [bar.done for _ in bar.over("abcd")] == [0, 1, 2, 3]
    assert bar.done == made[0].n == 4


def test_a_broken_loop_closes_its_bar(made):
    with pytest.raises(ZeroDivisionError), Bar(2, "broken", patience=0.0) as bar:
        bar.update(1 // 0)
    assert made[0].disable  # which tqdm sets when it closes


def test_threads_count_together(made):
    bar = Bar(4000, "threads", patience=0.0)
    with bar:
        threads = [threading.Thread(target=lambda: [bar.update() for _ in range(1000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bar.done == made[0].n == 4000
    assert len(made) == 1


def test_the_environment_may_disable_all_bars(monkeypatch):
    real = tqdm.auto.tqdm
    monkeypatch.setattr(tqdm.auto, "tqdm", lambda *args, **kwargs: real(*args, **{**kwargs, "disable": True}))
    bar = Bar(2, "disabled", patience=0.0)
    assert list(bar.over("ab")) == ["a", "b"]
    assert bar.done == 2


def waits():
    with Bar(2, "inner", patience=0.0) as bar:
        bar.update()
    return {"waited": True}


def test_within_a_cell_there_is_none(made):
    sweep(lambda k: waits(), {"k": [1, 2]}, workers=0)
    assert len(made) == 1, "the sweep's own"
    waits()
    assert len(made) == 2
