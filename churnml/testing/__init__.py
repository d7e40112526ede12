"""Helpers for tests of one's own features.

>>> from churnml.testing import assert_point_in_time
>>> assert_point_in_time("data/demo", as_of="2026-06-01")  # doctest: +SKIP
"""

from churnml.testing.point_in_time import assert_point_in_time

__all__ = ["assert_point_in_time"]
