"""Work shared out over members: every one done once, whoever does it, and stopped at once by an error or Ctrl-C."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from chaoslab.integrate import members, solve
from chaoslab.systems import System, load

#: Far more than can be done before an error in the third stops the rest.
ENDLESS = 100_000


def outside(script):
    """The standard output of a script in a process of its own, so that a deadlock ends with the process."""
    script = f"import os\nfrom chaoslab.integrate import members\n{script}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=15).stdout.split()


@pytest.mark.parametrize("workers", [None, 1, 2, 3, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 1000])
def test_every_member_is_done_once(count, workers):
    done = [0] * count

    def work(k):
        done[k] += 1

    members.each(work, count, workers)
    assert done == [1] * count


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_no_members_are_no_work(workers):
    members.each(lambda k: pytest.fail("there is no member"), 0, workers)


def test_one_worker_is_the_callers_own_thread():
    threads = set()
    members.each(lambda k: threads.add(threading.get_ident()), 100, 1)
    assert threads == {threading.get_ident()}


def test_two_workers_are_two_threads():
    """Each waits for the other, so that one alone could not pass."""
    meeting = threading.Barrier(2, timeout=30)
    members.each(lambda k: meeting.wait(), 2, 2)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, StopIteration])
def test_an_error_stops_the_others_and_comes_through(error, workers):
    done = []

    def work(k):
        done.append(k)
        time.sleep(0.001)
        if k == 3:
            raise error("the fourth")

    with pytest.raises(error, match="the fourth"):
        members.each(work, ENDLESS, workers)
    assert len(done) < ENDLESS / 100
    assert {0, 1, 2, 3} <= set(done)
    again = [0] * 500
    members.each(lambda k: again.__setitem__(k, k), 500, workers)
    assert again == list(range(500))


def test_nothing_begins_after_an_error():
    """The other thread may finish the member in its hands, and takes no other."""
    done, failed = [], threading.Event()

    def work(k):
        done.append(k)
        if k == 0:
            failed.set()
            raise ValueError("the first")
        failed.wait(30)
        time.sleep(0.001)

    with pytest.raises(ValueError, match="the first"):
        members.each(work, ENDLESS, 2)
    time.sleep(0.05)
    count = len(done)
    time.sleep(0.05)
    assert len(done) == count


def test_callers_in_several_threads_do_not_disturb_each_other():
    def total(factor):
        out = np.zeros(500)
        members.each(lambda k: out.__setitem__(k, factor * k), 500, 2)
        return out.sum()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(total, range(4))) == [factor * 124_750 for factor in range(4)]


def test_an_error_of_one_caller_is_not_another_callers():
    def run(bad):
        out = np.zeros(500)

        def work(k):
            if bad and k == 7:
                raise ValueError
            out[k] = 1

        try:
            members.each(work, 500, 2)
        except ValueError:
            return "failed"
        return out.sum()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, [False, True, False, True])) == [500, "failed", 500, "failed"]


@pytest.mark.parametrize("workers", [2, None])
def test_work_may_share_out_work(workers):
    """Members that are ensembles themselves: threads that wait for threads of the same pool would wait for ever."""
    script = f"done = []; inner = lambda k: members.each(lambda j: done.append((k, j)), 20, {workers})\n"
    assert outside(script + f"members.each(inner, 20, {workers}); print(len(set(done)))") == ["400"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_process_has_threads_of_its_own():
    """As multiprocessing and data loaders make them on Linux: the parent's threads do not exist there."""
    script = """
import signal
done = []
members.each(done.append, 100, 2)
child = os.fork()
if not child:
    signal.alarm(10)
    members.each(done.append, 100, 2)
    os._exit(len(done) - 100)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert outside(script) == ["100"], "the child was ended by its alarm clock"


@pytest.mark.parametrize(
    "system",
    [load("Lorenz"), System({"x": "-x + x(t - tau)/2"}, {"tau": 0.7}, {"x": 1}, kind="delay")],
    ids=["flow", "delay"],
)
def test_solutions_do_not_depend_on_the_workers(system):
    initial = system.initial * np.linspace(0.5, 1.5, 30)[:, None]
    runs = [solve(system, initial, np.linspace(0, 3, 31), workers=workers).states for workers in (1, 2, 3, None)]
    assert all(np.array_equal(runs[0], run) for run in runs[1:])
