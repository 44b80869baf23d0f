"""The schema of the store: numbered migrations that make its tables and views.

A migration is appended and never edited after a release: it is what a file of that version has, whatever the program
knows by now. So the columns of images stand here as they are; one that comes later is an entry of ``more``.
"""

from collections.abc import Callable
from typing import Any

from diptych.errors import StoreError
from diptych.store.connection import StoreFile

M001_TABLES = """
CREATE TABLE runs (run_id VARCHAR PRIMARY KEY, name VARCHAR, fingerprint VARCHAR, config JSON, provenance JSON);
CREATE TABLE datasets (run_id VARCHAR, dataset VARCHAR, kind VARCHAR, path VARCHAR, name VARCHAR, fingerprint VARCHAR,
    n_rows BIGINT);
CREATE TABLE images (run_id VARCHAR, dataset VARCHAR, key VARCHAR, caption VARCHAR, url VARCHAR, width INTEGER,
    height INTEGER, sha256 VARCHAR, status VARCHAR, benchmark VARCHAR, prompt_id VARCHAR, category VARCHAR[],
    checks VARCHAR, model VARCHAR, setting VARCHAR, seed BIGINT, sample INTEGER, sampler VARCHAR, steps INTEGER,
    guidance FLOAT, negative_prompt VARCHAR, shard VARCHAR, shard_row INTEGER, more JSON);
CREATE TABLE further_columns (run_id VARCHAR, dataset VARCHAR, name VARCHAR, sql_type VARCHAR);
CREATE TABLE identities (identity_id VARCHAR PRIMARY KEY, identity JSON);
CREATE TABLE score_columns (run_id VARCHAR, score VARCHAR, description VARCHAR, unit VARCHAR, low DOUBLE, high DOUBLE,
    better_for_data VARCHAR, better_for_models VARCHAR, identity_id VARCHAR);
CREATE TABLE scores (run_id VARCHAR, dataset VARCHAR, key VARCHAR, score VARCHAR, value DOUBLE, text VARCHAR,
    reason VARCHAR);
CREATE TABLE results (run_id VARCHAR, metric VARCHAR, dataset VARCHAR, groups JSON, value DOUBLE, se DOUBLE,
    ci_low DOUBLE, ci_high DOUBLE, n BIGINT, n_unscored BIGINT, unit VARCHAR, better VARCHAR,
    identity_id VARCHAR, reason VARCHAR, note VARCHAR, size_bias VARCHAR, place INTEGER);
CREATE TABLE differences (run_id VARCHAR, metric VARCHAR, dataset VARCHAR, groups JSON, a VARCHAR, b VARCHAR,
    value DOUBLE, se DOUBLE, ci_low DOUBLE, ci_high DOUBLE, p_value DOUBLE, p_adjusted DOUBLE, n BIGINT,
    n_clusters BIGINT, better VARCHAR, identity_id VARCHAR, reason VARCHAR);
CREATE TABLE audits (run_id VARCHAR, dataset VARCHAR, groups JSON, attribute VARCHAR, k BIGINT, n BIGINT,
    n_unscored BIGINT, share DOUBLE, ci_low DOUBLE, ci_high DOUBLE, reference DOUBLE, null_low DOUBLE,
    null_high DOUBLE, identity_id VARCHAR, note VARCHAR);
"""

# For whoever opens the file with a DuckDB shell: scores with the facts of their image, results with what they mean. The
# view of one row per image has the scores of the runs as columns, so it is made with each run, see ``image_view``.
M002_VIEWS = """
CREATE VIEW v_scores AS
    SELECT runs.name AS run, scores.*, images.* EXCLUDE (run_id, dataset, key)
    FROM scores JOIN images USING (run_id, dataset, key) LEFT JOIN runs USING (run_id);
"""
RESULTS_VIEW = """
CREATE VIEW v_results AS
    SELECT runs.name AS run, results.*, identities.identity
    FROM results LEFT JOIN runs USING (run_id) LEFT JOIN identities USING (identity_id);
"""


def m001_tables(execute: Callable[[str], Any]) -> None:
    """Make the tables."""
    execute(M001_TABLES)


def m002_views(execute: Callable[[str], Any]) -> None:
    """Add the views."""
    execute(M002_VIEWS)
    execute(RESULTS_VIEW)


def m003_prompt_sets(execute: Callable[[str], Any]) -> None:
    """Let a dataset say which kinds its prompt sets are of."""
    execute("ALTER TABLE datasets ADD COLUMN prompt_sets JSON")


def m004_audit_reasons(execute: Callable[[str], Any]) -> None:
    """Let an audit say why there is no share."""
    execute("ALTER TABLE audits ADD COLUMN reason VARCHAR")


def m005_why_unjudged(execute: Callable[[str], Any]) -> None:
    """Let an audit say why images were not judged."""
    execute("ALTER TABLE audits ADD COLUMN unjudged JSON")


def m006_cautions(execute: Callable[[str], Any]) -> None:
    """Let a number say that it rests on less than it seems; the view has its columns and is made again."""
    execute("ALTER TABLE results ADD COLUMN caution VARCHAR")
    execute("DROP VIEW v_results")
    execute(RESULTS_VIEW)


def m007_more_cautions(execute: Callable[[str], Any]) -> None:
    """Let differences and audits say that they rest on less than it seems."""
    for table in ("differences", "audits"):
        execute(f"ALTER TABLE {table} ADD COLUMN caution VARCHAR")


def m008_effects(execute: Callable[[str], Any]) -> None:
    """Let a difference say in how many prompts, how large it is beside their spread, and what could have been found."""
    columns = {"df": "DOUBLE", "wins": "BIGINT", "ties": "BIGINT", "losses": "BIGINT", "effect": "DOUBLE"}
    columns |= {"detectable": "DOUBLE", "margin": "DOUBLE", "p_equivalence": "DOUBLE"}
    for name, kind in columns.items():
        execute(f"ALTER TABLE differences ADD COLUMN {name} {kind}")


def m009_spreads(execute: Callable[[str], Any]) -> None:
    """Let a run say how much of the variance of its scores is between prompts."""
    execute(
        "CREATE TABLE spreads (run_id VARCHAR, metric VARCHAR, dataset VARCHAR, groups JSON, "
        "variance_between DOUBLE, variance_within DOUBLE, icc DOUBLE, n BIGINT, n_clusters BIGINT, identity_id VARCHAR)"
    )


# To change the schema, append one.
MIGRATIONS: tuple[Callable[[Callable[[str], Any]], None], ...] = (
    m001_tables,
    m002_views,
    m003_prompt_sets,
    m004_audit_reasons,
    m005_why_unjudged,
    m006_cautions,
    m007_more_cautions,
    m008_effects,
    m009_spreads,
)
# Versions up to this one were never released, and files of them are refused. The schema version of a file is this and
# the number of migrations that it has seen.
UNRELEASED = 2
NEWEST = UNRELEASED + len(MIGRATIONS)


def is_older(file: StoreFile) -> bool:
    """Return whether a file lacks migrations; a new file lacks all.

    Raises:
        StoreError: If it is no store, or one of a newer diptych or of before the first release.
    """
    return _version(file) < NEWEST


def migrate(file: StoreFile) -> None:
    """Do the migrations that a file lacks, all or none.

    Raises:
        StoreError: If it is no store, or one of a newer diptych or of before the first release.
    """
    if not is_older(file):
        return
    with file.transaction():
        for migration in MIGRATIONS[_version(file) - UNRELEASED :]:
            migration(file.execute)
        file.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
        file.execute("DELETE FROM schema_version")
        file.execute("INSERT INTO schema_version VALUES (?)", [NEWEST])


def _version(file: StoreFile) -> int:
    tables = {name for (name,) in file.fetch("SELECT table_name FROM duckdb_tables() WHERE NOT internal")[1]}
    if not tables:
        return UNRELEASED
    if "schema_version" not in tables:
        raise StoreError(f"{file.path}: a DuckDB file, but not a store of diptych; give another path")
    version = int(file.fetch("SELECT max(version) FROM schema_version")[1][0][0])
    if version > NEWEST:
        raise StoreError(f"{file.path}: schema version {version}; this diptych reads {NEWEST}: install a newer one")
    if version <= UNRELEASED:
        raise StoreError(
            f"{file.path}: schema version {version}, of before the first release, is not read; run the evaluation "
            f"again into another file"
        )
    return version
