"""Helpers for all packages: text, files, dates, tasks, and masking of secrets."""
