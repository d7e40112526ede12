"""How much each column contributes to a score."""
