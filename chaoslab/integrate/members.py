"""Work shared out over members: on all cores, with progress, and stopped at once by Ctrl-C."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from functools import lru_cache

from ..sweep import Bar, cores

#: Members handed to a thread at once, at most.
CHUNK = 64
#: What the threads are called.
THREADS = "chaoslab members"


def share(run: Callable, pieces: Sequence, workers: int | None = None) -> None:
    """Call `run(piece, stopped)` for every piece, on so many threads (all cores by default).

    A piece leaves its result in a place of its own, so that it does not matter who did it, and ends early once `stopped()`:
    after an error or Ctrl-C no thread goes on behind the caller's back.
    """
    workers = min(workers or cores(), len(pieces))
    if workers < 2 or threading.current_thread().name.startswith(THREADS):  # threads that wait for one another never end
        for piece in pieces:
            run(piece, lambda: False)
        return
    stop = threading.Event()
    running = [_pool(workers, os.getpid()).submit(copy_context().run, run, piece, stop.is_set) for piece in pieces]
    try:
        for done in as_completed(running):
            done.result()
    finally:
        stop.set()
        for waiting in running:
            waiting.cancel()


def each(work: Callable[[int], None], count: int, workers: int | None = None, *, size: int = 1) -> None:
    """Call `work(member)` for every member, or group of `size` members, on so many threads, with progress."""
    if count < 2:
        for member in range(count):
            work(member)
        return
    workers = min(workers or cores(), count)
    chunk = max(1, min(CHUNK // size, count // (4 * workers)))
    with Bar(count * size, "members") as bar:

        def stretch(first: int, stopped: Callable[[], bool]) -> None:
            for member in range(first, min(first + chunk, count)):
                if stopped():
                    return
                work(member)
            bar.update(min(chunk, count - first) * size)

        share(stretch, range(0, count, chunk), workers)


@lru_cache(maxsize=8)
def _pool(workers: int, process: int) -> ThreadPoolExecutor:
    """Threads that live on, since each keeps integrators of its own; a forked process has none of its parent's."""
    return ThreadPoolExecutor(workers, thread_name_prefix=THREADS)
