"""What an offer changes: cross-fitted learners of effects, and doubly robust scores."""
