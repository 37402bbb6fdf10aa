"""Work in the background of which only the latest counts."""

import threading
from collections.abc import Callable


class Latest:
    """One thread that does the last thing it was asked for; what was asked meanwhile and is outdated is never begun."""

    def __init__(self):
        self._ready, self._task, self._running = threading.Condition(), None, False

    def ask(self, task: Callable[[], None]) -> None:
        """Do this next, in place of what waits."""
        with self._ready:
            self._task = task
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, daemon=True, name="chaoslab explorer").start()

    def drop(self) -> None:
        """Forget what waits; what has begun is finished."""
        with self._ready:
            self._task = None

    def _work(self) -> None:
        while True:
            with self._ready:
                task, self._task = self._task, None
                if task is None:
                    self._running = False
                    return
            try:
                task()
            except BaseException:
                with self._ready:
                    self._running = False  # the next one gets a thread of its own; this one's error is shown
                raise
