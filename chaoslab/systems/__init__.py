"""Layer 1. Definitions: text in, System out. Knows no integrator, no torch, no xarray."""

from .calculus import NotPolynomial as NotPolynomial
from .calculus import same as same
from .catalogue import as_system as as_system
from .catalogue import load as load
from .catalogue import names as names
from .catalogue import reference as reference
from .catalogue import search as search
from .catalogue import table as table
from .compose import couple as couple
from .compose import skew as skew
from .coordinates import rescale as rescale
from .coordinates import rotate as rotate
from .language import DefinitionError as DefinitionError
from .language import suggest as suggest
from .system import System as System
