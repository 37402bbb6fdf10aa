"""Layer 0. Knows nothing of chaoslab: a function over labelled cells, on all cores, resumed where it stopped."""

from .bar import Bar as Bar
from .results import Results as Results
from .store import StoreError as StoreError
from .sweep import sweep as sweep
from .workers import cores as cores
