"""Model cards, and what MLflow's UI shows of a model."""
