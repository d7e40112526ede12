"""Point-in-time features: what was known of each customer at a date.

A builder is a module with three names. ``FEATURES`` declares what it builds. ``parts`` are
the lazy tables, at most one row for each of their keys, that it wants beside the customers.
``columns`` are its features, arithmetic over the row in which all parts stand together: one
join for what several builders read, and one query for all of them.
"""

from __future__ import annotations

from churnml.base.drivers import Driver
from churnml.features.building import BUILDERS, Builder, build_features, builders, declared
from churnml.features.declaration import AvailableTo, Feature, available
from churnml.features.installed import builder
from churnml.features.listing import list_features
from churnml.features.view import JoinedTable, View
from churnml.features.writing import write_features

__all__ = [
    "BUILDERS",
    "AvailableTo",
    "Builder",
    "Driver",
    "Feature",
    "JoinedTable",
    "View",
    "available",
    "build_features",
    "builder",
    "builders",
    "declared",
    "list_features",
    "write_features",
]
