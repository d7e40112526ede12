"""What drives churn and satisfaction: the groups under which reasons and figures show columns."""

from __future__ import annotations

from typing import Literal, get_args

Driver = Literal[
    "network",
    "tariff",
    "business_support",
    "service_window",
    "value",
    "usage",
    "lifecycle",
    "tier",
    "ties",
]

DRIVERS: tuple[str, ...] = get_args(Driver)
"""In the order in which figures give them colours."""
