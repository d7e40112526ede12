"""Saved models: content, storage, and drift of new data from the training data."""
