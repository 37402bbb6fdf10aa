"""Layer 4. What a motion is like, each measure with an error: knows systems, integrate, trajectories."""

from .covariant import covariant_vectors as covariant_vectors
from .covariant import smallest_angle as smallest_angle
from .entropy import multiscale_entropy as multiscale_entropy
from .entropy import permutation_entropy as permutation_entropy
from .entropy import sample_entropy as sample_entropy
from .kaplan_yorke import kaplan_yorke_dimension as kaplan_yorke_dimension
from .kaplan_yorke import lyapunov_time as lyapunov_time
from .kaplan_yorke import pesin_sum as pesin_sum
from .local import finite_time_exponents as finite_time_exponents
from .lyapunov import TooShort as TooShort
from .lyapunov import largest_exponent as largest_exponent
from .lyapunov import lyapunov_spectrum as lyapunov_spectrum
from .neighbours import exponent_from_data as exponent_from_data
from .ordinal import ordinal as ordinal
from .ordinal_lag import ideal_lag as ideal_lag
from .ordinal_lag import natural_time_scale as natural_time_scale
from .ordinal_plane import complexity_bounds as complexity_bounds
from .ordinal_plane import noise_curve as noise_curve
from .ordinal_plane import periodic_limits as periodic_limits
from .ordinal_plane import region as region
from .regime import Regime as Regime
from .regime import regime as regime
