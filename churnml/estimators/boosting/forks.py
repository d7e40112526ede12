"""LightGBM in a forked process.

The threads of OpenMP do not live on in a child of ``fork``, and GNU's OpenMP waits for them
for ever. One thread needs none of them: a child computes with one, whatever ``n_jobs`` says.
"""

from __future__ import annotations

import ctypes
import os

# The Python package has no function for it.
from lightgbm.basic import _LIB


def _one_thread() -> None:
    _LIB.LGBM_SetMaxThreads(ctypes.c_int(1))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread)
