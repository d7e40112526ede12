"""LightGBM where Python strips docstrings (``-OO``, ``PYTHONOPTIMIZE=2``).

Its estimators for Dask, which churnml does not use, take their docstrings apart on import and
would fail without them: names in their place let the rest of it load.
"""

import sys
from types import ModuleType

if sys.flags.optimize >= 2 and "lightgbm" not in sys.modules:
    _dask = ModuleType("lightgbm.dask")
    for _name in ("DaskLGBMClassifier", "DaskLGBMRanker", "DaskLGBMRegressor"):
        setattr(_dask, _name, None)
    sys.modules["lightgbm.dask"] = _dask
