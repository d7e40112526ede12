"""Tables of an operator's own beside those of the contract, and the features that they make."""
