"""Rules: SQL conditions over columns, what each of them loses, and the decisions that are written of it."""
