"""Layer 8. Pure functions from a dataset to a figure: plotly to turn and zoom, matplotlib stills to print."""

from ..trajectories import ChaosAccessor
from .attractor import attractor as attractor
from .attractor import attractor_still as attractor_still
from .basins import basins as basins
from .basins import uncertainty as uncertainty
from .bifurcation import exponent_map as exponent_map
from .bifurcation import orbit_diagram as orbit_diagram
from .cobweb import cobweb as cobweb
from .complexity import complexity_plane as complexity_plane
from .complexity import over_lag as over_lag
from .distance import distance as distance
from .distance import distance_still as distance_still
from .estimates import convergence as convergence
from .estimates import over_parameter as over_parameter
from .feature_map import feature_map as feature_map
from .feature_map import feature_map_still as feature_map_still
from .gallery import gallery as gallery
from .orbits import fixed_points as fixed_points
from .orbits import periodic_orbits as periodic_orbits
from .panels import panels as panels
from .panels import portraits as portraits
from .panels import spectra as spectra
from .recurrence import recurrence as recurrence
from .scaling import scaling as scaling
from .sections import return_map as return_map
from .sections import section as section
from .series import series as series
from .series import series_still as series_still
from .space_time import space_time as space_time

for figure in (attractor, attractor_still, distance, series, series_still, space_time):
    ChaosAccessor.register(figure)
