"""Checking an operator's tables: what is bad is set aside with its reason, the rest goes on."""

from churnml.tables.validation.codes import CODES
from churnml.tables.validation.quarantine import quarantine
from churnml.tables.validation.report import Breach, Count, Report
from churnml.tables.validation.validate import Validation, validate

__all__ = ["CODES", "Breach", "Count", "Report", "Validation", "quarantine", "validate"]
