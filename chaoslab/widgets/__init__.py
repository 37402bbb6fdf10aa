"""Layer 9. What follows the hand in a notebook. Knows figures and all below."""

from ..systems import System
from .cobweb import cobweb as cobweb
from .diagram import diagram as diagram
from .explore import explore as explore
from .knobs import knobs as knobs
from .ordinal_plane import ordinal_plane as ordinal_plane
from .recurrence import recurrence as recurrence
from .section import section as section
from .wall import wall as wall

System.explore = explore
