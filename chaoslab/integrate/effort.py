"""How much the compiler may try, where an integrator is used once and thrown away."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Levels of LLVM: what is used by the hundred thousand steps, and what is used once.
BEST, LEAST = 3, 0
#: How many of those that are used once are remembered: each holds megabytes.
PASSING = 8

_effort: ContextVar[int] = ContextVar("effort", default=BEST)
_most: ContextVar[float] = ContextVar("most", default=math.inf)


def effort() -> int:
    """The level that integrators are compiled with here and now."""
    return _effort.get()


def most_steps() -> float:
    """Steps after which a motion that goes from one time to another is given up, here and now."""
    return _most.get()


@contextmanager
def compiled_quickly(most: float = math.inf) -> Iterator[None]:
    """Integrators made within compile five to ten times faster and run up to twice as long; their rounding differs.

    A motion of a smooth flow that takes more than `most` steps to get to where it is asked for has failed.

    Nor are they kept, on disk or in memory, which would hold thousands that nobody asks for again.
    """
    try:
        import heyoka as hy
    except ImportError:  # SciPy integrates, and compiles nothing
        yield
        return
    kept, before, unlimited = hy.llvm_state.get_diskcache_enabled(), _effort.set(LEAST), _most.set(most)
    hy.llvm_state.set_diskcache_enabled(False)
    try:
        yield
    finally:
        hy.llvm_state.set_diskcache_enabled(kept)
        hy.llvm_state.clear_memcache()
        _effort.reset(before)
        _most.reset(unlimited)
