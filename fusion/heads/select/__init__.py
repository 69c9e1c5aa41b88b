"""Feature selection as scikit-learn transformers, each usable alone; what is learned is learned from the rows given."""

from fusion.heads.select.correlated import DropCorrelated
from fusion.heads.select.flat import DropFlat
from fusion.heads.select.icc import IccFilter
from fusion.heads.select.lasso import LassoTop
from fusion.heads.select.mrmr import Mrmr
from fusion.heads.select.ranked import Ranked, limit
from fusion.heads.select.regions import ByRegion
from fusion.heads.select.stability import StabilityTop
from fusion.heads.select.support import Kept, Table, support
from fusion.heads.select.univariate import UnivariateTop

__all__ = ["ByRegion", "DropCorrelated", "DropFlat", "IccFilter", "Kept", "LassoTop", "Mrmr", "Ranked",
           "StabilityTop", "Table", "UnivariateTop", "limit", "support"]  # fmt: skip
