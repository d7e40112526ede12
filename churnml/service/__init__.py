"""Service quality: complaints in one record, satisfaction index, indicators, word of mouth."""
