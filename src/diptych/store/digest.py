"""The digest of a store: one number for all that its runs found, equal where they found the same."""

from diptych.config.identity import fingerprint
from diptych.store.connection import StoreFile
from diptych.store.rows import TABLES

# Columns that say what a run was made with and where; they are no part of what it found.
NOT_CONTENT = {"runs": {"provenance", "config"}, "datasets": {"path"}}


def digest_of(file: StoreFile) -> str:
    """Return the sha256 (hex) of all that the runs found: rows in any order, without provenance and paths."""
    content = {}
    for table in TABLES:
        left_out = NOT_CONTENT.get(table, set())
        columns = [name for name, _ in file.fetch(f"SELECT * FROM {table} LIMIT 0")[0]]
        kept = ", ".join(name for name in columns if name not in left_out)
        content[table] = file.fetch(f"SELECT {kept} FROM {table} ORDER BY ALL")[1]
    return fingerprint(content)
