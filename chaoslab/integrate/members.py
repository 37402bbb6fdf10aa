"""Work shared out over members: on all cores, with progress, and stopped at once by Ctrl-C."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import lru_cache

#: Members handed to a thread at once, at most.
CHUNK = 64


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(work: Callable[[int], None], count: int, workers: int | None = None) -> None:
    """Call `work(member)` for every member; `workers` threads (all cores by default) help where there are many.

    `work` must leave its result in a place of its own, so that the result does not depend on who did it.
    """
    from tqdm.auto import tqdm

    workers = min(workers or cores(), count)
    if count == 1:
        work(0)
        return
    with tqdm(total=count, desc="members", delay=2, leave=False) as bar:
        if workers == 1:
            for member in range(count):
                work(member)
                bar.update()
            return
        stop = threading.Event()

        def stretch(first: int, last: int) -> int:
            for member in range(first, last):
                if stop.is_set():
                    break
                work(member)
            return last - first

        size = max(1, min(CHUNK, count // (4 * workers)))
        chunks = [_pool(workers).submit(stretch, first, min(first + size, count)) for first in range(0, count, size)]
        try:
            for chunk in as_completed(chunks):
                bar.update(chunk.result())
        finally:  # after Ctrl-C or an error: no thread goes on behind the caller's back
            stop.set()
            for chunk in chunks:
                chunk.cancel()


@lru_cache(maxsize=8)
def _pool(workers: int) -> ThreadPoolExecutor:
    """Threads that live on, since each keeps integrators of its own."""
    return ThreadPoolExecutor(workers, thread_name_prefix="chaoslab")
