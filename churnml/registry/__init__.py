"""Everything that is kept in MLflow: runs, registered models, promotion."""
