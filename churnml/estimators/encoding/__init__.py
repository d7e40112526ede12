"""Data frames as matrices of numbers."""
