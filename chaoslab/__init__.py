"""chaoslab: chaotic systems as text, integrated in milliseconds, labelled, measured and drawn.

>>> import chaoslab as cl
>>> ds = cl.simulate("Lorenz", periods=10)
>>> ds.state.dims
('member', 'time', 'component')
"""

from . import datasets as datasets
from . import figures as figures
from . import integrate as integrate
from . import invariants as invariants
from . import widgets as widgets
from .datasets import open_collection as open_collection
from .invariants import largest_exponent as largest_exponent
from .invariants import lyapunov_spectrum as lyapunov_spectrum
from .sweep import sweep as sweep
from .systems import DefinitionError as DefinitionError
from .systems import System as System
from .systems import couple as couple
from .systems import load as load
from .systems import names as names
from .systems import rescale as rescale
from .systems import rotate as rotate
from .systems import search as search
from .systems import skew as skew
from .systems import table as table
from .trajectories import dominant_period as dominant_period
from .trajectories import sample_parameters as sample_parameters
from .trajectories import simulate as simulate
from .widgets import explore as explore
from .widgets import wall as catalogue  # noqa: F401
