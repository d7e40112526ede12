"""An operator's tables: the contract, reading, checking, the time rule, and a simulator."""
