"""``python -m tests.faults.catalogue``: every case, for churnml and for the naive scorer.

Status 0 where churnml survives every case and the naive scorer fails enough of them; with
numbers behind it (``31 44``), those cases alone, for churnml, or for ``--naive``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def main(arguments: list[str]) -> int:
    if os.geteuid() == 0:
        from tests.faults.catalogue.ordinary import run_as_ordinary_user

        return run_as_ordinary_user("tests.faults.catalogue", arguments, CHECKOUT)
    from tests.faults.catalogue.running import run

    # Others may read the folder, as they may an operator's.
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        return run(arguments, Path(folder).resolve())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
