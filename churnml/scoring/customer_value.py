"""What scoring takes of an operator's features beside the models' columns: tiers and ARPU."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from churnml.config.settings import Tiers

_TIERS = {"individual_tier": "tier_individual_now", "group_tier": "tier_group_now"}


def wanted_columns(names: Iterable[str], tiers: Tiers) -> list[str]:
    """The columns of a features file that scoring reads: the customer, value, the models' own."""
    return list(dict.fromkeys(["customer_id", *_TIERS.values(), *_arpu_columns(tiers), *names]))


def customer_value(table: pa.Table, tiers: Tiers) -> dict[str, Any]:
    """Tiers and the ARPU behind them, by the contract's names."""
    value: dict[str, Any] = {
        name: table[feature] if feature in table.column_names else [None] * table.num_rows
        for name, feature in _TIERS.items()
    }
    mean, margin = _arpu_columns(tiers)
    if mean in table.column_names:
        return value | {"arpu": table[mean]}
    # It brings the engines along, which an executor that only scores can do without.
    from churnml.features.tiers import INDIVIDUAL

    # Windows that no feature has: the ARPU is the tier's threshold and what lies above it.
    start = dict(zip(INDIVIDUAL, (0.0, *tiers.thresholds), strict=True))
    pairs = zip(value["individual_tier"].to_pylist(), table[margin].to_pylist(), strict=True)
    above = [None if over is None else start[tier] + float(over) for tier, over in pairs]
    return value | {"arpu": above}


def _arpu_columns(tiers: Tiers) -> list[str]:
    return [f"arpu_mean_{tiers.arpu_months}m_yuan", "tier_individual_margin_yuan"]
