"""Read a flat table: one row per customer, any columns.

`read_training` reads it to learn from, `open_scoring` to score it in batches, and
`read_evaluation` to measure a model. How the columns were read in training is the
`Signature`, which the model keeps.
"""

from churnml.datasets.flat.data import FlatData
from churnml.datasets.flat.open import fingerprint, open_table
from churnml.datasets.flat.pandas_missing import mistaken
from churnml.datasets.flat.read_evaluation import read_evaluation
from churnml.datasets.flat.read_scoring import open_scoring
from churnml.datasets.flat.read_training import read_training
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.scorable import FlatBatch, Scorable, SetAside
from churnml.datasets.flat.serving import read_frame
from churnml.datasets.flat.signature import Column, Signature
from churnml.datasets.flat.snapshot import Ages, counted_from

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
