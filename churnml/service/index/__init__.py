"""The satisfaction index: how satisfied everybody is, from some answers and predictions for all."""
