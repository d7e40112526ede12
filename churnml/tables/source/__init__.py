"""Read an operator's tables from files in a folder or from a database.

>>> from churnml.tables.source import open_source
>>> source = open_source("data/demo")  # doctest: +SKIP
>>> source.tables["bills"].limit(5).to_pandas()  # doctest: +SKIP
"""

from churnml.tables.source.open import open_source
from churnml.tables.source.source import HasTables, Source

__all__ = ["HasTables", "Source", "open_source"]
