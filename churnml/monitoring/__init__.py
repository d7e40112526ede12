"""Whether a model still holds, month by month: inputs, scores, and what became of the customers.

`churnml.monitor` reads what every scoring has kept, scores what nobody scored with a model
that had not learned from it, and says what is off and what to do.
"""
