"""Database engines: DuckDB, PostgreSQL, Spark."""
