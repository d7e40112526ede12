"""What training must not learn from: columns that scoring cannot have, or that tell the outcome.

`refused` and `withheld` judge columns by what is declared of them, `find_suspects` by what
stands in them.
"""

from churnml.datasets.leakage.availability import declared_as, dropping, refused, withheld
from churnml.datasets.leakage.suspects import Suspect, describe_suspects, find_suspects

__all__ = [
    "Suspect",
    "declared_as",
    "describe_suspects",
    "dropping",
    "find_suspects",
    "refused",
    "withheld",
]
