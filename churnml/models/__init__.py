"""A saved model: what is in it, how it is stored, and how far new data are from its own."""
