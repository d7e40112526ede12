"""Retention: what an offer does, who gets which under a budget, and whether it worked."""
