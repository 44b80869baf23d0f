"""What somebody with a DuckDB shell finds: one row per image, everything described, a file that older versions open."""

import re
import tomllib
from pathlib import Path

import duckdb
import pytest
from evaluate_configs import make_config, run
from packaging.requirements import Requirement
from tiny_generated import Made, make_generated
from told_scores import install

from diptych.store.rows import TABLE_OF
from diptych.store.store import DatasetRow, ImageRow, Run, ScoreColumn, ScoreRow, Store

DOCS = Path(__file__).resolve().parents[2] / "docs"
QUERY = re.compile(r'^duckdb \S+ "(.*)"$', re.MULTILINE)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of two datasets each, whose scores differ, in one store."""
    install(monkeypatch)
    for label, right in (("generated", 3), ("second", 1)):
        rows = [
            Made(
                model,
                prompt,
                caption=f"correct={int(prompt < right)} number={prompt + 10 * (label == 'second')} hat=red",
            )
            for model in ("a", "b")
            for prompt in range(4)
        ]
        make_generated(tmp_path / label, rows)
    for name, version in (("first", 1), ("later", 2)):
        scores = {"objects": {"score": "told_accuracy", "options": {"version": version}}, "n": {"score": "told_number"}}
        scores["hats"] = {"score": "told_attribute"}
        means = [{"score": score, "by": ["model"]} for score in ("object_correct", "number")]
        config = make_config(tmp_path, name=name, scores=scores, means=means)
        config["datasets"]["second"] = {"path": str(tmp_path / "second")}
        run(config)
    return tmp_path / "store.duckdb"


def test_a_view_has_one_row_per_image_with_scores_settings_size_expectation_and_place(store: Path) -> None:
    with duckdb.connect(str(store), read_only=True) as con:
        assert (
            con.execute("SELECT count(*) FROM v_images").fetchall()
            == con.execute("SELECT count(*) FROM images").fetchall()
        )
        columns = {name for name, *_ in con.execute("DESCRIBE v_images").fetchall()}
        assert {
            "run",
            "dataset",
            "key",
            "model",
            "setting",
            "steps",
            "width",
            "height",
            "checks",
            "path",
            "shard",
        } <= columns
        rows = con.execute(
            "SELECT run, dataset, model, prompt_id, n__number, hats__attribute, path, shard_row "
            "FROM v_images ORDER BY ALL"
        ).fetchall()
    assert len(rows) == 2 * 2 * 8
    for _, dataset, _, prompt, number, hat, path, _ in rows:
        assert (number, hat) == (int(prompt) + 10 * (dataset == "second"), "red")
        assert path == str(store.parent / dataset)


def test_numbers_of_two_identities_are_no_column_together(store: Path) -> None:
    with duckdb.connect(str(store), read_only=True) as con:
        columns = [name for name, *_ in con.execute("DESCRIBE v_images").fetchall()]
        of_score = [name for name in columns if name.startswith("objects__object_correct")]
        assert len(of_score) == 2
        assert all(re.fullmatch(r"objects__object_correct__[0-9a-f]{8}", name) for name in of_score)
        for name in of_score:
            assert len(con.execute(f"SELECT DISTINCT run FROM v_images WHERE {name} IS NOT NULL").fetchall()) == 1


def test_queries_of_the_docs_give_the_numbers_of_the_results(store: Path) -> None:
    queries = QUERY.findall((DOCS / "store.md").read_text(encoding="utf-8"))
    assert len(queries) == 3
    renamed = {
        "similarity.clip_score": "n.number",
        "similarity__clip_similarity": "n__number",
        "similarity.clip_similarity": "n.number",
    }
    found = []
    with duckdb.connect(str(store), read_only=True) as con:
        for query in queries:
            for theirs, ours in renamed.items():
                query = query.replace(theirs, ours)
            found.append(con.execute(query).fetchall())
    numbers, means, licences = found
    assert len(numbers) == 2 * 2 * 2
    assert numbers == means
    assert licences == [(run, dataset, None, 8) for run in ("first", "later") for dataset in ("generated", "second")]


def test_tables_views_and_columns_say_what_they_are(store: Path) -> None:
    with duckdb.connect(str(store), read_only=True) as con:
        tables = dict(con.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
        assert {table for table, said in tables.items() if not said} == set()
        assert set(TABLE_OF.values()) < set(tables)
        views = dict(con.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall())
        assert {view for view, said in views.items() if not said} == set()
        silent = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal"
        ).fetchall()
        assert silent == []
        said = con.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'results' AND column_name = 'groups'"
        )
        assert said.fetchall() == [('Which images, e.g. {"model": "sdxl"}; empty for all.',)]
        said = con.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'v_images' AND column_name = 'n__number'"
        )
        assert said.fetchall() == [("A number",)]
        said = con.execute(
            "SELECT DISTINCT comment FROM duckdb_columns() WHERE column_name = 'value' AND table_name LIKE 'v_%' "
            "ORDER BY ALL"
        )
        assert said.fetchall() == [("None where it cannot be had; reason says why.",), ("The number.",)]


def test_the_release_of_duckdb_that_opens_no_store_twice_is_not_admitted() -> None:
    """1.5.0 looks for a log beside the file where access to other files is off, and refuses that to itself."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        Requirement(line).specifier
        for extra in project["optional-dependencies"].values()
        for line in extra
        if Requirement(line).name == "duckdb"
    ]
    assert len(wanted) == 3
    assert not any(each.contains("1.5.0") for each in wanted)
    assert all(each.contains("1.5.1") for each in wanted)


def test_the_file_is_written_for_older_duckdb_too(store: Path) -> None:
    with duckdb.connect(str(store), read_only=True) as con:
        name = con.execute("SELECT current_database()").fetchall()[0][0]
        (tags,) = con.execute("SELECT tags FROM duckdb_databases() WHERE database_name = ?", [name]).fetchall()[0]
    assert tags["storage_version"] == "v1.2.0+"


def test_view_follows_the_runs_and_takes_any_name(tmp_path: Path) -> None:
    evil = "it's \"; DROP TABLE runs; --\0"
    with Store.open(tmp_path / "store.duckdb") as store:
        for number, score in enumerate(("a.x", "A.X", evil, "a__b.c", "a.b__c")):
            with store.replace_run(Run(f"r{number}", f"run {number}", "f", {}, {})):
                store.insert_datasets([DatasetRow(f"r{number}", "d", "pairs", "/x", "d", "f", 1)])
                store.insert_images([ImageRow(f"r{number}", "d", "k", more={evil.strip("\0"): 1, "run": 5})])
                identity = store.insert_identity({"of": score})
                store.insert_score_columns(
                    [ScoreColumn(f"r{number}", score, evil, "", None, None, None, None, identity)]
                )
                store.insert_scores([ScoreRow(f"r{number}", "d", "k", score, float(number) + 0.5)])
        assert len(store.query("SELECT * FROM v_images")) == 5
        store.delete_run("r0")
        rows = store.query("SELECT * FROM v_images ORDER BY run")
        assert [row["run"] for row in rows] == ["run 1", "run 2", "run 3", "run 4"]
        for number, row in enumerate(rows, 1):
            assert [value for value in row.values() if value == number + 0.5] == [number + 0.5], "its own"
            assert row["run_2"] == 5, "what the data call run"
