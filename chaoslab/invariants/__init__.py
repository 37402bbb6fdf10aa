"""Layer 4. What a motion is like, each measure with an error: knows systems, integrate, trajectories."""

from .covariant import covariant_vectors as covariant_vectors
from .covariant import smallest_angle as smallest_angle
from .fixed_points import fixed_points as fixed_points
from .kaplan_yorke import kaplan_yorke_dimension as kaplan_yorke_dimension
from .kaplan_yorke import lyapunov_time as lyapunov_time
from .kaplan_yorke import pesin_sum as pesin_sum
from .local import finite_time_exponents as finite_time_exponents
from .lyapunov import TooShort as TooShort
from .lyapunov import largest_exponent as largest_exponent
from .lyapunov import lyapunov_spectrum as lyapunov_spectrum
from .neighbours import exponent_from_data as exponent_from_data
from .periods import has_dominant_period as has_dominant_period
from .periods import significant_periods as significant_periods
from .regime import Regime as Regime
from .regime import regime as regime
from .sections import poincare_section as poincare_section
from .sections import return_map as return_map
from .surrogates import significant_against_surrogates as significant_against_surrogates
from .surrogates import surrogates as surrogates
