"""Checking an operator's tables: what is bad is set aside with its reason, the rest goes on."""

from churnml.validation.codes import CODES
from churnml.validation.quarantine import quarantine
from churnml.validation.report import Breach, Count, Report
from churnml.validation.validate import Validation, validate

__all__ = ["CODES", "Breach", "Count", "Report", "Validation", "quarantine", "validate"]
