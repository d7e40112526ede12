"""Flat tables: one row per customer, read, typed and checked."""
