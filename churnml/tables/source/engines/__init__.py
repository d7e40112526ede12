"""The engines that hold the tables."""
