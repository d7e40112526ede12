"""Where an operator's tables come from: files in a folder, or a database.

>>> from churnml.source import open_source
>>> source = open_source("data/demo")  # doctest: +SKIP
>>> source.tables["bills"].limit(5).to_pandas()  # doctest: +SKIP
"""

from churnml.source.opened import Source
from churnml.source.opening import open_source

__all__ = ["Source", "open_source"]
