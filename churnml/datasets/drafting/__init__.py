"""Draft the mapping of an operator's files: what each table, column, code and unit is.

A name is taken apart into concepts (`lexicon`), the values are looked at (`facts`), both are
compared with the contract (`names`, `fitting`), tables and columns are assigned as a whole
(`matching`), and the draft is written with what is certain and what is to be checked
(`writing`).
"""

from churnml.datasets.drafting.draft import Draft, draft_mapping

__all__ = ["Draft", "draft_mapping"]
