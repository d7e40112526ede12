"""A simulated operator whose true probabilities are known.

The tables of the contract for any number of customers, made to be hard in the ways that
reality is; beside them what no operator knows: every customer's probability of leaving,
satisfaction, and what a retention offer does.
"""

from churnml.tables.simulator.campaigns import Replay
from churnml.tables.simulator.simulation import simulate

__all__ = ["Replay", "simulate"]
