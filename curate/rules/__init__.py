"""Rules: what each SQL condition of a config loses of a pool, and which rows are kept."""
