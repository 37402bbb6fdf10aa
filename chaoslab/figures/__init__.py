"""Layer 8. Pure functions from a trajectory dataset to a figure: plotly to turn and zoom, matplotlib stills to print."""

from ..trajectories import ChaosAccessor
from .attractor import attractor as attractor
from .attractor import attractor_still as attractor_still
from .gallery import gallery as gallery
from .series import series as series
from .series import series_still as series_still

for figure in (attractor, attractor_still, series, series_still):
    ChaosAccessor.register(figure)
