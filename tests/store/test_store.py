"""The store: whole runs or nothing, one writer, old files brought up to date, hostile content kept as it is."""

import dataclasses
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from diptych.errors import StoreError, StoreInUse
from diptych.store.connection import StoreFile
from diptych.store.migrations import M001_TABLES, NEWEST, UNRELEASED
from diptych.store.rows import TABLE_OF
from diptych.store.store import (
    TABLES,
    AuditRow,
    DatasetRow,
    DifferenceRow,
    ImageRow,
    ResultRow,
    Run,
    ScoreColumn,
    ScoreRow,
    SpreadRow,
    Store,
)

IDENTITY = {"metric": "clip_score", "version": 1, "encoder": {"weights": "ab"}}
HOSTILE = [
    '</script><img onerror="x">',
    "\u202eevil",
    "'; DROP TABLE runs; --",
    "nul\x00inside",
    "{{7*7}}",
    "=cmd|' /C",
]


def result(run_id: str, identity_id: str, **changes: Any) -> ResultRow:
    row = ResultRow(
        run_id, "clip_score", "generated", {"model": "a"}, 25.0, 1.0, 23.0, 27.0, 10, 2, "", "higher", identity_id
    )
    return dataclasses.replace(row, **changes)


def write_run(
    store: Store, run_id: str = "r1", name: str = "first", captions: tuple[str, ...] = ("one", "two")
) -> None:
    """Put a row into every table."""
    with store.replace_run(Run(run_id, name, "f" * 64, {"job": "evaluate"}, {"python": "3"})):
        identity = store.insert_identity(IDENTITY)
        store.insert_datasets([DatasetRow(run_id, "generated", "generated", "/somewhere", "tiny", "0" * 64, 2)])
        store.insert_images(
            [ImageRow(run_id, "generated", f"k{number}", caption=text) for number, text in enumerate(captions)]
        )
        store.insert_score_columns([ScoreColumn(run_id, "s", "a score", "", 0.0, None, "higher", None, identity)])
        store.insert_scores([ScoreRow(run_id, "generated", "k0", "s", 0.5), ScoreRow(run_id, "generated", "k1", "s")])
        store.insert_results([result(run_id, identity)])
        store.insert_differences(
            [DifferenceRow(run_id, "m", "generated", {}, "a", "b", 1.0, 0.5, 0.0, 2.0, 0.1, 0.1, 5, 5, None, identity)]
        )
        store.insert_spreads([SpreadRow(run_id, "m", "generated", {"model": "a"}, 1.0, 3.0, 0.25, 8, 4, identity)])
        store.insert_audits(
            [AuditRow(run_id, "generated", {"model": "a"}, "orange", 3, 4, 1, 0.75, 0.3, 0.95, 0.5, 0.1, 0.9, identity)]
        )


def counts(store: Store) -> dict[str, int]:
    return {table: store.query(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in TABLES}


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    source = str(Path(__file__).resolve().parents[2] / "src")
    script = f"import sys\nsys.path.insert(0, {source!r})\n{textwrap.dedent(code)}"
    command = [sys.executable, "-P", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.duckdb"
    with Store.open(path) as store:
        write_run(store)
    with Store.open(path, read_only=True) as store:
        (row,) = store.query("SELECT * FROM results WHERE metric = ?", ["clip_score"])
        assert row["groups"] == {"model": "a"}
        assert (row["value"], row["n_unscored"], row["better"]) == (25.0, 2, "higher")
        assert store.query("SELECT identity FROM identities") == [{"identity": IDENTITY}]
        assert store.query("SELECT value, text FROM scores ORDER BY key") == [
            {"value": 0.5, "text": None},
            {"value": None, "text": None},
        ]
        assert store.arrow("SELECT key FROM images ORDER BY key")["key"].to_pylist() == ["k0", "k1"]


def test_the_tables_have_the_columns_of_their_rows(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        for kind, table in TABLE_OF.items():
            columns = store.query("SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [table])
            fields = [field.name for field in dataclasses.fields(kind)]
            assert [column["column_name"] for column in columns] == fields, table
        assert set(TABLES) == {*TABLE_OF.values(), "identities"}


def test_a_rerun_leaves_the_same_content(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        write_run(store)
        before, digest = counts(store), store.digest()
        write_run(store)
        assert (counts(store), store.digest()) == (before, digest)


def test_the_digest_sees_content_and_neither_order_nor_place_nor_provenance(tmp_path: Path) -> None:
    digests = []
    for number, (place, python, keys) in enumerate([("/a", "3.11", "xy"), ("/b", "3.12", "yx"), ("/a", "3.11", "xz")]):
        with Store.open(tmp_path / f"{number}.duckdb") as store:
            with store.replace_run(Run("r", "n", "f", {"store": place}, {"python": python})):
                store.insert_datasets([DatasetRow("r", "d", "generated", place, "n", "f", 2)])
                store.insert_images([ImageRow("r", "d", key) for key in keys])
            digests.append(store.digest())
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_run_of_the_same_name_is_replaced_and_others_stay(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        write_run(store, "r1", "first")
        write_run(store, "r2", "second")
        write_run(store, "r3", "first")
        assert [row["run_id"] for row in store.query("SELECT run_id FROM runs ORDER BY run_id")] == ["r2", "r3"]
        assert {row["run_id"] for row in store.query("SELECT DISTINCT run_id FROM scores")} == {"r2", "r3"}


def test_an_identity_that_nobody_uses_any_more_is_forgotten(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        write_run(store)
        with store.replace_run(Run("r1", "first", "f", {}, {})):
            store.insert_results([result("r1", store.insert_identity({"metric": "other"}))])
        assert store.query("SELECT identity FROM identities") == [{"identity": {"metric": "other"}}]
        store.delete_run("r1")
        assert set(counts(store).values()) == {0}


def test_a_failure_in_the_middle_leaves_the_old_run(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        write_run(store)
        digest = store.digest()
        with pytest.raises(ZeroDivisionError), store.replace_run(Run("r1", "first", "other", {}, {})):
            store.insert_results([result("r1", store.insert_identity(IDENTITY), value=1 / 0)])
        with pytest.raises(StoreError, match="no_such"), store.replace_run(Run("r1", "first", "other", {}, {})):
            store.query("SELECT no_such FROM runs")
        assert store.digest() == digest


def test_a_writer_that_is_killed_in_its_transaction_leaves_the_old_run(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path) as store:
        write_run(store)
        digest = store.digest()
    done = run_python(
        """
        import os, pathlib
        from diptych.store.store import ImageRow, Run, Store
        store = Store.open(pathlib.Path(sys.argv[1]))
        with store.replace_run(Run("r1", "first", "g", {}, {})):
            store.insert_images([ImageRow("r1", "d", str(number)) for number in range(300_000)])
            os.kill(os.getpid(), 9)
        """,
        path,
    )
    assert done.returncode == -9, done.stderr
    with Store.open(path, read_only=True) as store:
        assert store.digest() == digest


def test_not_a_number_is_null(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        identity = store.insert_identity(IDENTITY)
        store.insert_results([result("r", identity, value=float("nan"), reason="too_few")])
        schema = pa.schema([("run_id", pa.string()), ("key", pa.string()), ("value", pa.float32())])
        store.insert_scores(pa.table([["r", "r"], ["a", "b"], [float("nan"), 0.25]], schema=schema))
        assert store.query("SELECT value FROM results UNION ALL SELECT value FROM scores ORDER BY value") == [
            {"value": 0.25},
            {"value": None},
            {"value": None},
        ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_kept_as_it_is(text: str, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        write_run(store, run_id=text, name=text, captions=(text, text))
        identity = store.insert_identity({"encoder": text})
        store.insert_results([result(text, identity, groups={"model": text}, note=text)])
        (row,) = store.query("SELECT groups, note FROM results WHERE identity_id = ?", [identity])
        assert row == {"groups": {"model": text}, "note": text}
        assert store.query("SELECT caption FROM images WHERE run_id = ?", [text]) == [{"caption": text}] * 2


def test_a_lone_surrogate_is_replaced(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb") as store:
        store.insert_results([result("r\ud800", store.insert_identity(IDENTITY), groups={"model": "m\ud800"})])
        assert store.query("SELECT run_id, groups FROM results") == [{"run_id": "r?", "groups": {"model": "m?"}}]


def test_a_second_writer_is_told_who_is_writing(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    code = """
        import pathlib
        from diptych.errors import StoreInUse
        from diptych.store.store import Store
        try:
            Store.open(pathlib.Path(sys.argv[1]), read_only=sys.argv[2] == "read")
        except StoreInUse as error:
            print(error)
        """
    with Store.open(path):
        for mode in ("read", "write"):
            said = run_python(code, path, mode).stdout
            assert said.startswith(f"{path}: process ")
            assert "is using the store; wait" in said
            assert said.count("\n") == 1
        with pytest.raises(StoreError, match="another connection is using the store"):
            Store.open(path, read_only=True)


def test_several_may_read_and_nobody_may_write_then(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path) as store:
        write_run(store)
    with Store.open(path, read_only=True) as one, Store.open(path, read_only=True) as two:
        assert one.digest() == two.digest()
        with pytest.raises(StoreError, match="read-only"):
            one.delete_run("r1")


def older_store(path: Path) -> Path:
    """Make a store of the first version with one image."""
    con = duckdb.connect(str(path))
    con.execute(M001_TABLES).fetchall()
    con.execute("CREATE TABLE schema_version (version INTEGER)").fetchall()
    con.execute("INSERT INTO schema_version VALUES (?)", [UNRELEASED + 1]).fetchall()
    con.execute("INSERT INTO runs VALUES ('old', 'old', 'f', '{\"job\": \"evaluate\"}', '{}')").fetchall()
    con.execute("INSERT INTO images (run_id, dataset, key, caption) VALUES ('old', 'd', 'k', 'a cat')").fetchall()
    con.execute("INSERT INTO scores VALUES ('old', 'd', 'k', 's', 0.25, NULL, NULL)").fetchall()
    con.close()
    return path


def test_a_store_of_the_first_version_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    path = older_store(tmp_path / "old.duckdb")
    with Store.open(path, read_only=True) as store:
        assert store.query("SELECT version FROM schema_version") == [{"version": NEWEST}]
        assert store.query("SELECT caption, value FROM v_scores") == [{"caption": "a cat", "value": 0.25}]
        assert store.query("SELECT config FROM runs") == [{"config": {"job": "evaluate"}}]


def test_an_older_store_that_cannot_be_written_is_said_to_be_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses as one that is mounted to be read does: root may write what has no permission to be written."""
    path = older_store(tmp_path / "old.duckdb")
    connect = duckdb.connect

    def connect_to_read(name: str, *, read_only: bool, config: Any) -> Any:
        if not read_only:
            raise duckdb.IOException(f'IO Error: Cannot open file "{name}": Read-only file system')
        return connect(name, read_only=True, config=config)

    monkeypatch.setattr(duckdb, "connect", connect_to_read)
    with pytest.raises(StoreError) as caught:
        Store.open(path, read_only=True)
    assert str(caught.value) == (
        f"{path}: is of an older schema, and is brought up to date in place before it is read, which fails here: "
        f'IO Error: Cannot open file "{path}": Read-only file system; open it once where it can be written, or copy '
        "it there"
    )


def test_an_older_store_that_somebody_reads_is_said_to_be_older_and_in_use(tmp_path: Path) -> None:
    path = older_store(tmp_path / "old.duckdb")
    reader = StoreFile(path, read_only=True)
    with pytest.raises(StoreInUse) as caught:
        Store.open(path, read_only=True)
    reader.close()
    assert str(caught.value) == (
        f"{path}: is of an older schema, and is brought up to date in place before it is read; "
        f"another connection is using the store; wait until it is done, or stop it"
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (99, f"schema version 99; this diptych reads {NEWEST}: install a newer one"),
        (1, "schema version 1, of before the first release, is not read; run the evaluation again into"),
        (2, "schema version 2, of before the first release, is not read"),
    ],
)
def test_a_store_of_a_newer_or_an_unreleased_diptych_is_refused(version: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    Store.open(path).close()
    con = duckdb.connect(str(path))
    con.execute("UPDATE schema_version SET version = ?", [version]).fetchall()
    con.close()
    (tmp_path / "other.duckdb.sha256").unlink()
    for read_only in (False, True):
        with pytest.raises(StoreError, match=re.escape(message)):
            Store.open(path, read_only=read_only)


def test_what_is_no_store_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "junk.duckdb").write_text("hello " * 1000)
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    duckdb.connect(str(tmp_path / "other.duckdb")).execute("CREATE TABLE t (a INTEGER)").fetchall()
    expected = {
        "junk.duckdb": "not a DuckDB file",
        "table.csv": "not a DuckDB file",
        "rows.jsonl": "not a DuckDB file",
        "empty.csv": "not a DuckDB file",  # DuckDB would open it, and forget what is written
        "folder": "a folder, not a store",
        "other.duckdb": "not a store of diptych",
        "file/store.duckdb": "cannot be made",
    }
    for name, message in expected.items():
        with pytest.raises(StoreError, match=message) as caught:
            Store.open(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(tmp_path / name))
    assert not list(tmp_path.glob("*.sha256")), "what is refused is given no seal"
    with pytest.raises(StoreError, match="no such store"):
        Store.open(tmp_path / "missing.duckdb", read_only=True)
    assert not (tmp_path / "missing.duckdb").exists()


def test_sql_cannot_reach_other_files(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with Store.open(tmp_path / "store.duckdb") as store, pytest.raises(StoreError, match="disabled"):
        store.query(f"SELECT * FROM read_csv('{tmp_path}/secret.csv')")


def test_a_hundred_thousand_rows_take_seconds(tmp_path: Path) -> None:
    count = 100_000
    keys = [f"{number:032x}" for number in range(count)]
    table = pa.table({"run_id": ["r"] * count, "dataset": ["d"] * count, "key": keys, "value": pa.array(range(count))})
    with Store.open(tmp_path / "store.duckdb") as store:
        with store.replace_run(Run("r", "n", "f", {}, {})):
            store.insert_scores(table)
        assert store.query("SELECT sum(value) AS total FROM scores") == [{"total": count * (count - 1) / 2}]


@pytest.mark.parametrize("is_dataset", [True, False])
def test_a_folder_is_no_store(is_dataset: bool, tmp_path: Path) -> None:
    if is_dataset:
        (tmp_path / "dataset.json").touch()
    with pytest.raises(StoreError, match=f"{'a dataset' if is_dataset else 'a folder'}, not a store; give the .duckdb"):
        Store.open(tmp_path, read_only=True)
