"""Layer 9. What follows the hand in a notebook. Knows figures and all below."""

from ..systems import System
from .diagram import diagram as diagram
from .explore import explore as explore
from .knobs import knobs as knobs
from .wall import wall as wall

System.explore = explore
