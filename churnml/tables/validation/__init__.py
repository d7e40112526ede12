"""Validate an operator's tables: bad rows are set aside with the reason, the rest is kept."""

from churnml.tables.validation.codes import CODES
from churnml.tables.validation.quarantine import quarantine
from churnml.tables.validation.report import Breach, Count, Report
from churnml.tables.validation.validate import Validation, validate

__all__ = ["CODES", "Breach", "Count", "Report", "Validation", "quarantine", "validate"]
