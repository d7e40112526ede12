"""The page for a manager with five minutes: what all verbs find, told in one place."""
