"""A data scientist's own table: one row for each customer, its columns as they come.

`read_training` reads it to learn from, `open_scoring` to score it in batches, and
`read_evaluation` to measure a model. How the columns were read in training is the
signature, which the model keeps.
"""

from churnml.flat.data import FlatData
from churnml.flat.opening import open_table
from churnml.flat.signature import Column, Signature
from churnml.flat.training import read_training

__all__ = ["Column", "FlatData", "Signature", "open_table", "read_training"]
