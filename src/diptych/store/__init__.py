"""The store: one DuckDB file with what evaluations found. Decides nothing about how it was found or is shown."""
