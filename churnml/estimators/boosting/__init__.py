"""Bags of LightGBM boosters fitted by cross-validation."""
