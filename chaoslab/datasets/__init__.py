"""Layer 5. Recipes, the series they make, the shipped collection, and what is done to series before one learns from them."""

from .arrays import from_numpy as from_numpy
from .arrays import read_npz as read_npz
from .arrays import to_npz as to_npz
from .arrays import to_numpy as to_numpy
from .audit import audit as audit
from .build import build as build
from .build import open_built as open_built
from .catalogue_map import catalogue_map as catalogue_map
from .collection import open_collection as open_collection
from .collection import standard as standard
from .corrupt import Corruption as Corruption
from .corrupt import Gaps as Gaps
from .corrupt import Hidden as Hidden
from .corrupt import IrregularTimes as IrregularTimes
from .corrupt import Noise as Noise
from .corrupt import corrupt as corrupt
from .corrupt import corruption as corruption
from .discover import discover as discover
from .discover import duplicate_of as duplicate_of
from .discovery import Discovery as Discovery
from .discovery import Found as Found
from .feature_map import feature_map as feature_map
from .features import FeatureWarning as FeatureWarning
from .features import features as features
from .files import DataError as DataError
from .hub import read_hub as read_hub
from .hub import to_hub as to_hub
from .parquet import read_parquet as read_parquet
from .parquet import to_parquet as to_parquet
from .place import place as place
from .recipe import Recipe as Recipe
from .recipe import chaotic as chaotic
from .series import plan as plan
from .stable import stable_features as stable_features
from .standardise import Scaling as Scaling
from .standardise import ScalingWarning as ScalingWarning
from .standardise import standardise as standardise
from .windows import windows as windows


def __getattr__(name: str):
    if name == "TorchWindows":  # torch takes seconds to load
        from .torchwindows import TorchWindows

        return TorchWindows
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
