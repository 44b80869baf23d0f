import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
import yaml
from drawn import draw_dataset
from tiny_generated import made_grid, make_generated

import diptych
from diptych import api
from diptych.errors import ConfigError, DataError, DecodeError, ShardError, StoreError
from diptych.ready_configs import config_path


@pytest.fixture
def pool(tmp_path: Path) -> diptych.OpenDataset:
    draw_dataset(tmp_path / "pool", rows=5, rows_per_shard=2, failed=(3,))
    return diptych.score(tmp_path / "pool", {"words": "caption_stats", "stats": ("image_stats", {})})


def test_a_dataset_is_read_by_column_and_by_row(pool: diptych.OpenDataset) -> None:
    assert len(pool) == 5
    assert pool.columns[:2] == ["key", "caption"]
    assert {"words.caption_words", "stats.sharpness"} <= set(pool.columns)
    assert pool.arrow("key", "width", rows=[4, 0]).to_pydict() == {"key": ["000000004", "000000000"], "width": [48, 48]}
    frame = pool.pandas("caption_words", "status")
    assert isinstance(frame, pandas.DataFrame)
    assert frame.columns.tolist() == ["words.caption_words", "status"]
    assert "image" not in pool.arrow().column_names


def test_pictures_are_pil_images_and_a_row_without_one_says_so(pool: diptych.OpenDataset) -> None:
    assert [image.size for image in pool.images([2, 0])] == [(48, 32)] * 2
    assert pool.image(4).mode == "RGB"
    with pytest.raises(DecodeError, match="empty"):
        pool.image(3)


@pytest.mark.parametrize("row", [5, -1, 10**6])
def test_a_row_that_is_not_there_is_named(pool: diptych.OpenDataset, row: int) -> None:
    for rows in ([True, False, False, False, True], [1.5], ["a"], 1, [[0, 1]], [None]):
        with pytest.raises(DataError, match="rows are a list of their numbers, counted from 0, not"):
            pool.pandas("key", rows=rows)
    assert pool.arrow("key", rows=[]).num_rows == 0
    for read in (pool.image, lambda row: pool.arrow("key", rows=[0, row])):
        with pytest.raises(DataError, match=rf"pool: there is no row {row}; it has 5, counted from 0"):
            read(row)


def test_rows_are_chosen_by_sql_over_data_and_scores(pool: diptych.OpenDataset) -> None:
    found = pool.query("key, words.caption_words AS n", where="status = 'ok' AND caption_words > 2")
    assert found.column_names == ["key", "n"]
    assert all(n > 2 for n in found["n"].to_pylist())
    for select in ("keyy", "data.keyy", "key, (SELECT max(keyy))"):
        with pytest.raises(DataError, match=r"pool: unknown column 'keyy'; did you mean 'key'.*Known: .*words.caption"):
            pool.query(select)
    with pytest.raises(DataError, match=r"pool: .*no_such_function"):
        pool.query("no_such_function(key)")


def test_an_unknown_column_names_the_nearest(pool: diptych.OpenDataset) -> None:
    with pytest.raises(ConfigError, match=r"unknown column 'captoin'; did you mean 'caption'"):
        pool.arrow("captoin")


def test_scores_without_a_label_and_a_store_without_a_file_are_refused(pool: diptych.OpenDataset) -> None:
    with pytest.raises(
        ConfigError, match=r"scores: labels are needed, such as \{'mine': 'NAME'\}, not 'caption_stats'"
    ):
        diptych.score(pool.dataset.path, "caption_stats")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"nope.duckdb: not an open store; open it with diptych.open_store"):
        diptych.Store("nope.duckdb")  # type: ignore[arg-type]


def test_scores_and_encoders_may_be_given_as_a_config_has_them(tmp_path: Path, pool: diptych.OpenDataset) -> None:
    fit = {"score": "clip_similarity", "encoder": "small"}
    encoders = {"small": {"kind": "projection", "options": {"dim": 8}}}
    scores = {"w2": {"score": "caption_stats"}, "fit": fit}
    found = diptych.score(tmp_path / "pool", scores, encoders=encoders)
    assert {"w2.caption_words", "fit.clip_similarity"} <= set(found.columns)
    again = diptych.score(
        tmp_path / "pool",
        {"fit": ("clip_similarity", {"encoder": "small"})},
        encoders={"small": ("projection", {"dim": 8})},
    )
    assert again.arrow("fit.clip_similarity") == found.arrow("fit.clip_similarity")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"score": "caption_stat"}, "scores.w2: score: unknown score 'caption_stat'; did you mean 'caption_stats'"),
        ({"scor": "caption_stats"}, "scores.w2: the key 'score' is missing"),
        ({"score": "caption_stats", "option": {}}, "scores.w2: unknown key 'option'; did you mean 'options'"),
        (("caption_stats",), "scores.w2: give a name, "),
        (("caption_stats", None), "scores.w2: give a name, "),
        (3, "scores.w2: give a name, (name, options) or {'score': name, ...} as in a config, not 3"),
    ],
)
def test_a_score_that_is_given_otherwise_is_one_line(pool: diptych.OpenDataset, spec: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}") as caught:
        diptych.score(pool.dataset.path, {"w2": spec})
    assert "\n" not in str(caught.value)


def test_scores_are_computed_once_and_kept(tmp_path: Path, pool: diptych.OpenDataset) -> None:
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "pool" / "scores").rglob("*.parquet")}
    encoders = {"small": ("projection", {"dim": 8})}
    again = diptych.score(
        tmp_path / "pool",
        {"words": "caption_stats", "fit": ("clip_similarity", {"encoder": "small"})},
        encoders=encoders,
    )
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "fit.clip_similarity" in again.columns
    with pytest.raises(ShardError, match="not a finished dataset directory"):
        diptych.score(tmp_path / "absent", {"words": "caption_stats"})
    assert not (tmp_path / "absent").exists()


def test_an_evaluation_gives_its_results_as_a_table(tmp_path: Path) -> None:
    make_generated(tmp_path / "images", made_grid())
    config = {
        "job": "evaluate",
        "store": str(tmp_path / "results.duckdb"),
        "datasets": {"images": {"path": str(tmp_path / "images")}},
        "scores": {"stats": {"score": "image_stats"}},
        "means": [{"score": "stats.sharpness"}],
    }
    (tmp_path / "evaluate.yaml").write_text(yaml.safe_dump(config))
    results = diptych.run_evaluation(tmp_path / "evaluate.yaml")
    assert results["n"].to_pylist() == [10, 10]
    assert {"metric", "value", "ci_low", "ci_high", "identity"} <= set(results.column_names)
    with diptych.open_store(tmp_path / "results.duckdb") as store:
        assert store.arrow("SELECT count(*) AS n FROM results")["n"].to_pylist() == [2]


FUNCTIONS = {name: getattr(diptych, name) for name in diptych.__all__ if name not in {"OpenDataset", "__version__"}}
FUNCTIONS["Store"] = diptych.Store.open
PLACES = [
    (name, parameter)
    for name, function in FUNCTIONS.items()
    for parameter, said in inspect.signature(function).parameters.items()
    if "Address" in str(said.annotation) or "PathLike" in str(said.annotation)
]


def test_each_function_of_the_api_takes_a_place() -> None:
    assert {name for name, _ in PLACES} == set(FUNCTIONS)


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_an_address_with_a_scheme_is_refused_wherever_the_api_takes_a_place(
    name: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = {"run_curation": "curate", "run_generation": "generate", "build_report": "report"}.get(name, "evaluate")
    given = {"address": "a", "scores": {}, "config": config_path(f"demo/{job}.yaml"), "out": "b"}
    parameters = inspect.signature(FUNCTIONS[name]).parameters.values()
    required = {one.name: given[one.name] for one in parameters if one.default is one.empty}
    with pytest.raises(DataError, match=r"^https://host/x: (only a local path|no place of https://) can be used"):
        FUNCTIONS[name](**{**required, place: "https://host/x"})
    assert list(tmp_path.iterdir()) == []


def test_importing_diptych_imports_nothing_and_its_names_are_those_of_the_api() -> None:
    script = "import sys, diptych; print(len([m for m in sys.modules if m.startswith('diptych.')])); dir(diptych)"
    env = {**os.environ, "PYTHONPATH": str(Path(diptych.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "0\n"
    assert dir(diptych) == sorted(diptych.__all__)
    for name in set(diptych.__all__) - {"__version__"}:
        assert getattr(diptych, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        diptych.no_such_name  # noqa: B018 -- looking it up is the test


@pytest.mark.parametrize("labels", [["data"], ["select"], [""], ["B", "b"]])
def test_labels_that_config_and_commands_refuse_are_refused(tmp_path: Path, labels: list[str]) -> None:
    draw_dataset(tmp_path, rows=2, rows_per_shard=2)
    with pytest.raises(ConfigError, match=r"scores: the labels? .* give the score another one"):
        diptych.score(tmp_path, dict.fromkeys(labels, "caption_stats"))
