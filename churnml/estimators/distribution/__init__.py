"""The distribution of a satisfaction score, and its conformal interval."""
