"""Indicators along the way of the customer, halls, hotline, word of mouth, corporate groups."""
