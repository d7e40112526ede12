"""Service quality: complaints recorded in one way, a satisfaction index, indicators, word of mouth."""
