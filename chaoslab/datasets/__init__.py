"""Layer 5. Collections of series and what is told of them: windows, features, and the map of the catalogue."""

from .catalogue_map import catalogue_map as catalogue_map
from .feature_map import feature_map as feature_map
from .features import FeatureWarning as FeatureWarning
from .features import features as features
from .place import place as place
from .stable import stable_features as stable_features
