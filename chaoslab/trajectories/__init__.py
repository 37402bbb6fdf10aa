"""Layer 3. The one door from arrays to names: simulate(), the schema, time scales, the accessor. Knows systems and integrate."""

from ..systems import System
from .accessor import ChaosAccessor as ChaosAccessor
from .parameters import sample_parameters as sample_parameters
from .pieces import moments as moments
from .pieces import pieces as pieces
from .schema import ATTRIBUTES as ATTRIBUTES
from .schema import DIMS as DIMS
from .schema import SchemaError as SchemaError
from .schema import check as check
from .schema import system_of as system_of
from .simulate import TrajectoryWarning as TrajectoryWarning
from .simulate import simulate as simulate
from .timescale import NoPeriod as NoPeriod
from .timescale import dominant_period as dominant_period

System.simulate = simulate
