"""Who is tried: churnml, or a naive scorer of the same command-line shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

CHURNML = "from churnml.cli import main\nmain(argv)\n"
NAIVE = "from tests.faults.catalogue.naive import main\nmain(argv)\n"


@dataclass(frozen=True)
class Scorer:
    """How a scorer is started, and how its results are read."""

    name: str
    code: str
    limit: float
    """Seconds after which a command counts as hanging (I9), on a busy machine too."""

    def scores(self, out: Path) -> pd.DataFrame:
        """A complete result, by id; raises where it is not one."""
        if self.name == "naive":
            return pd.read_csv(out / "scores.csv", dtype={"customer_id": "str"}).set_index(
                "customer_id"
            )
        from churnml.scoring import Manifest

        manifest = Manifest.read(out)
        manifest.verify()
        found = pq.read_table(out).to_pandas().set_index("customer_id")
        assert manifest.rows.scored == len(found)
        return found


SCORERS = {"churnml": Scorer("churnml", CHURNML, 150), "naive": Scorer("naive", NAIVE, 30)}
