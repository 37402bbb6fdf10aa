"""A progress bar that is made only once the work has taken a while."""

import threading
from collections.abc import Iterable
from time import monotonic

from .cells import inside

#: Seconds of work that need no bar.
PATIENCE = 2.0


class Bar:
    """Counts what is done and shows it with tqdm after `patience` seconds; work that ends sooner makes no bar, not even hidden.

    (In a notebook every tqdm bar is a dozen widgets from the moment it is made, whatever its `delay`: hundreds of short tasks
    send thousands of messages.) Within a cell of a sweep, which has a bar of its own, there is none.
    """

    def __init__(self, total: int, label: str, *, shown: bool = True, patience: float = PATIENCE, initial: int = 0, **look):
        self._total, self._label, self._look = total, label, {"leave": False, **look}
        self.done = self._begun = initial
        self._start, self._patience = monotonic(), patience if shown and not inside.get() else float("inf")
        self._bar, self._lock = None, threading.Lock()

    def __enter__(self) -> "Bar":
        self.update(0)
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, more: int = 1, **notes) -> None:
        """So many more are done; `notes` stand behind the bar. Any thread may say so."""
        with self._lock:
            self.done += more
            if self._bar is not None:
                self._bar.update(more)
            elif monotonic() - self._start >= self._patience:
                self._bar = self._made()
            if self._bar is not None and notes:
                self._bar.set_postfix(notes, refresh=False)

    def over(self, items: Iterable):
        """The items one by one, each counted once the next is asked for."""
        with self:
            for item in items:
                yield item
                self.update()

    def _made(self):
        from tqdm.auto import tqdm

        bar = tqdm(total=self._total, initial=self._begun, desc=self._label, **self._look)
        if not bar.disable:  # as TQDM_DISABLE=1 does it
            bar.start_t -= monotonic() - self._start
        bar.update(self.done - self._begun)
        return bar
