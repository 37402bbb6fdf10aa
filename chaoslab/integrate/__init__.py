"""Layer 2. Arrays in, arrays out: flows by Taylor series or SciPy, switching systems, maps. Knows systems."""

from .solve import SOLVERS as SOLVERS
from .solve import TOLERANCE as TOLERANCE
from .solve import Solution as Solution
from .solve import default_solver as default_solver
from .solve import iterate as iterate
from .solve import solve as solve
from .switching import Switched as Switched
from .switching import switched as switched
