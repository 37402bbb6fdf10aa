"""Layer 2. Arrays in, arrays out: flows and delays by Taylor series or SciPy, noise, maps, torch batches. Knows systems."""

from . import batch as batch
from . import noise as noise
from . import noisy_delay as noisy_delay
from .effort import compiled_quickly as compiled_quickly
from .past import HistoryError as HistoryError
from .past import Past as Past
from .past import given as given
from .past import sampled as sampled
from .solve import SOLVERS as SOLVERS
from .solve import TOLERANCE as TOLERANCE
from .solve import Solution as Solution
from .solve import default_solver as default_solver
from .solve import iterate as iterate
from .solve import marked as marked
from .solve import sizes_of as sizes_of
from .solve import solve as solve
from .switching import Switched as Switched
from .switching import switched as switched
