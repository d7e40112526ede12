"""Complaints, recorded in one way.

`record.complaint_record` codes them (`coding`: by the operator, by `codes`, by `texts`), counts
them (`categories`), judges how they are recorded (`quality`), what is open (`unsolved`), what
else made customers complain (`wide`) and what surges (`attention`). `privacy` takes names and
digits out of what a person reads, `cells` hides what is about few people, `writing` keeps it.
"""

from churnml.service.complaints.record import complaint_record
from churnml.service.complaints.result import ComplaintRecord

__all__ = ["ComplaintRecord", "complaint_record"]
