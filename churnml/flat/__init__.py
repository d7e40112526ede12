"""A data scientist's own table: one row for each customer, its columns as they come.

`read_training` reads it to learn from, `open_scoring` to score it in batches, and
`read_evaluation` to measure a model. How the columns were read in training is the
`Signature`, which the model keeps.
"""

from churnml.flat.data import FlatData
from churnml.flat.evaluation import read_evaluation
from churnml.flat.opening import fingerprint, open_table
from churnml.flat.pandas_missing import mistaken
from churnml.flat.reading import Reading
from churnml.flat.scoring import FlatBatch, Scorable, SetAside, open_scoring
from churnml.flat.serving import read_frame
from churnml.flat.signature import Column, Signature
from churnml.flat.snapshot import Ages, counted_from
from churnml.flat.training import read_training

__all__ = [
    "Ages",
    "Column",
    "FlatBatch",
    "FlatData",
    "Reading",
    "Scorable",
    "SetAside",
    "Signature",
    "counted_from",
    "fingerprint",
    "mistaken",
    "open_scoring",
    "open_table",
    "read_evaluation",
    "read_frame",
    "read_training",
]
