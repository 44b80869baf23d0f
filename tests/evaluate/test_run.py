"""A whole evaluation over small drawn datasets, its numbers against ones computed here by hand."""

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from pydantic import ValidationError
from scipy import stats
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, made_grid, make_generated
from told_scores import install

from diptych.addresses import Address
from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError, StoreError, StoreInUse
from diptych.evaluate.config import EvaluateConfig
from diptych.jobs.engine import Engine
from diptych.store.store import Store

PROJECTION = {"p": {"kind": "projection", "options": {"dim": 6}}}
SIMILARITY = {"similarity": {"score": "clip_similarity", "encoder": "p"}}


def told(rows: Sequence[Made], texts: Sequence[str]) -> list[Made]:
    return [dataclasses.replace(row, caption=text) for row, text in zip(rows, texts, strict=True)]


def by_hand(values: Sequence[float], clusters: Sequence[Any]) -> tuple[float, float, float, float]:
    """Return mean, standard error and Student's interval with clusters, written as the textbook has it."""
    n, mean = len(values), sum(values) / len(values)
    sums: dict[Any, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + (value - mean)
    count = len(sums)
    se = (count / (count - 1) * sum(total**2 for total in sums.values())) ** 0.5 / n
    half = float(stats.t.ppf(0.975, count - 1)) * se
    return mean, se, mean - half, mean + half


def numbers(row: dict[str, Any]) -> tuple[float, float, float, float]:
    return row["value"], row["se"], row["ci_low"], row["ci_high"]


def test_a_mean_is_that_of_the_numbers_with_prompts_as_clusters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = made_grid(prompts=5, samples=3)
    values = [round(float(value), 3) for value in np.random.default_rng(0).normal(10, 2, len(rows))]
    make_generated(tmp_path / "generated", told(rows, [f"number={value}" for value in values]))
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number"}]))
    for model in ("curated", "raw"):
        chosen = [(value, row.prompt) for value, row in zip(values, rows, strict=True) if row.model == model]
        row = result_of(tmp_path, "n.number", model=model)
        expected = by_hand([value for value, _ in chosen], [prompt for _, prompt in chosen])
        assert numbers(row) == pytest.approx(expected, rel=1e-9)
        assert (row["n"], row["n_unscored"], row["unit"], row["better"]) == (15, 0, "px", "higher")
        assert (row["dataset"], row["reason"]) == ("generated", None)
        assert "5 prompts" in row["note"]


def test_images_without_a_number_are_counted_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    rows = made_grid(models=("raw",), prompts=4, samples=1)
    make_generated(tmp_path / "generated", told(rows, ["number=1", "nothing", "number=3", "number=4"]))
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "n.number", "by": []}]))
    row = result_of(tmp_path, "n.number")
    assert (row["value"], row["n"], row["n_unscored"]) == (pytest.approx(8 / 3), 3, 1)
    assert read(tmp_path, "SELECT value, reason FROM scores WHERE value IS NULL") == [
        {"value": None, "reason": "not_told"}
    ]


def test_a_group_without_any_number_has_a_reason_and_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    make_generated(tmp_path / "generated", told(made_grid(prompts=2, samples=1), ["number=1", "number=2", "-", "-"]))
    run(make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number"}]))
    row = result_of(tmp_path, "n.number", model="raw")
    assert (row["value"], row["ci_low"], row["n"], row["n_unscored"]) == (None, None, 0, 2)
    assert row["reason"] == "nothing_scored"


def test_clip_score_is_a_hundred_times_the_cosine_clamped_image_by_image(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=6, samples=2))
    run(make_config(tmp_path, encoders=PROJECTION, scores=SIMILARITY, means=[{"score": "clip_similarity", "by": []}]))
    cosines = [
        row["value"] for row in read(tmp_path, "SELECT value FROM scores WHERE score = 'similarity.clip_similarity'")
    ]
    assert min(cosines) < 0 < max(cosines)
    row = result_of(tmp_path, "similarity.clip_score")
    assert row["value"] == pytest.approx(np.mean([100 * max(value, 0) for value in cosines]), rel=1e-9)
    assert row["unit"] == "100 x max(cosine, 0)"


def test_object_accuracy_is_the_mean_of_the_categories_and_each_category_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = [Made("raw", number, category="counting") for number in range(8)]
    rows += [Made("raw", number, category="position") for number in range(8, 10)]
    rows += [Made("raw", 10, category="colors"), Made("raw", 11, category="")]
    texts = ["correct=1"] * 6 + ["correct=0"] * 2 + ["correct=0", "correct=1", "unreadable", "reason=not_asked"]
    make_generated(tmp_path / "generated", told(rows, texts))
    run(make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}]))
    whole = result_of(tmp_path, "o.object_accuracy", model="raw")
    assert (whole["value"], whole["reason"]) == (None, "categories_missing")
    assert whole["note"] == "no image scored of 1 of the 3 categories: colors"
    assert (whole["n"], whole["n_unscored"]) == (10, 1)  # what asks for nothing is no part of the question
    told_to_people = call("evaluate", "results", tmp_path / "store.duckdb").stdout
    assert "categories_missing: no image scored of 1 of the 3 categories: colors" in told_to_people
    counting = result_of(tmp_path, "o.object_accuracy", model="raw", category="counting")
    low, high = stats.binomtest(6, 8).proportion_ci(method="wilson")
    assert (counting["value"], counting["ci_low"], counting["ci_high"]) == pytest.approx((0.75, low, high))
    unknown = result_of(tmp_path, "o.object_accuracy", model="raw", category="colors")
    assert (unknown["value"], unknown["n"], unknown["n_unscored"]) == (None, 0, 1)
    assert unknown["reason"] == "nothing_scored"


@pytest.mark.parametrize("by", [["model", "category"], ["category", "model"]])
def test_what_two_entries_ask_for_is_there_once(by: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    rows = [Made(model, number, category="ab"[number % 2]) for model in ("raw", "good") for number in range(8)]
    make_generated(tmp_path / "generated", told(rows, [f"correct={row.prompt % 3 % 2}" for row in rows]))
    means = [{"score": "object_correct"}, {"score": "object_correct", "by": by}]
    run(make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=means))
    found = [row["groups"] for row in read(tmp_path, "SELECT groups FROM results")]
    models = [{"model": model} for model in ("raw", "good")]
    wanted = [*models, *({**model, "category": category} for model in models for category in "ab")]
    assert sorted(map(str, found)) == sorted(map(str, wanted))


def test_an_image_of_two_categories_counts_in_each_and_once_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    kinds: list[tuple[str, ...]] = [("a",), ("a", "b"), ("b",), ("b", "a"), ("b",), ()]
    rows = [Made("raw", number, category=kind) for number, kind in enumerate(kinds)]
    texts = ["correct=1", "correct=1", "correct=0", "unreadable", "correct=1", "correct=0"]
    make_generated(tmp_path / "generated", told(rows, texts))
    means = [{"score": "object_correct"}, {"score": "object_correct", "by": ["category"]}]
    run(make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=means))
    whole = result_of(tmp_path, "o.object_accuracy", model="raw")
    assert whole["value"] == pytest.approx((2 / 2 + 2 / 3 + 0 / 1) / 3)
    assert (whole["n"], whole["n_unscored"]) == (5, 1)
    found = {name: result_of(tmp_path, "o.object_accuracy", model="raw", category=name) for name in ("a", "b", None)}
    assert {name: (row["value"], row["n"], row["n_unscored"]) for name, row in found.items()} == {
        "a": (1.0, 2, 1),
        "b": (pytest.approx(2 / 3), 3, 1),
        None: (0.0, 1, 0),
    }
    alone = {name: result_of(tmp_path, "o.object_accuracy", category=name) for name in ("a", "b", None)}
    assert {name: row["n"] for name, row in alone.items()} == {"a": 2, "b": 3, None: 1}
    stored = read(tmp_path, "SELECT count(*) AS n FROM images WHERE list_contains(category, 'a')")
    assert stored == [{"n": 3}]


def test_rows_of_two_benchmarks_that_share_an_image_are_of_one_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rows = [Made(model, n, benchmark=name) for model in ("a", "b") for name in ("one", "two") for n in range(6)]
    make_generated(tmp_path / "generated", told(rows, [f"number={row.prompt}" for row in rows]))
    config = make_config(tmp_path, scores={"n": {"score": "told_number"}}, means=[{"score": "number"}])
    run({**config, "compare": {}})
    row = result_of(tmp_path, "n.number", model="a")
    assert (row["n"], row["note"]) == (12, "mean over images; interval clustered by 6 prompts (Student)")
    (difference,) = read(tmp_path, "SELECT n, n_clusters FROM differences WHERE groups = '{}'")
    assert difference == {"n": 12, "n_clusters": 6}


def test_images_of_one_prompt_do_not_narrow_the_interval_as_independent_ones_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    grid = [Made("raw", prompt, sample) for prompt in range(20) for sample in range(10)]
    texts = [f"correct={int(row.prompt % 3 > 0)}" for row in grid]
    make_generated(tmp_path / "generated", told(grid, texts), rows_per_shard=200)
    run(make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}]))
    row = result_of(tmp_path, "o.object_accuracy", model="raw")
    few = stats.binomtest(13, 20).proportion_ci(method="wilson")
    many = stats.binomtest(130, 200).proportion_ci(method="wilson")
    assert row["ci_high"] - row["ci_low"] >= few.high - few.low > many.high - many.low


def full_config(folder: Path) -> dict[str, Any]:
    """Return a config of everything that needs no score of a test, so that worker processes can run it."""
    config = make_config(
        folder,
        encoders=PROJECTION,
        scores={**SIMILARITY, "image": {"score": "image_stats"}, "text": {"score": "caption_stats"}},
        distances=[{"metric": "kernel_distance", "encoder": "p", "reference": "real"}],
        means=[{"score": "clip_similarity"}, {"score": "entropy", "by": ["model", "setting"]}],
        compare={"by": "model", "baseline": "raw"},
    )
    config["datasets"]["real"] = {"path": str(folder / "real"), "role": "reference"}
    return config


def make_both(folder: Path, *, rows_per_shard: int = 7, seed: int | None = None) -> None:
    rows = made_grid(prompts=6, samples=2, settings=("euler-25-g5", "ddim-10-g5"))
    real = [Row(picture(1000 + number), f"real {number}") for number in range(20)]
    if seed is not None:
        random.Random(seed).shuffle(rows)
    make_generated(folder / "generated", rows, rows_per_shard=rows_per_shard)
    make_dataset(folder / "real", real, rows_per_shard=rows_per_shard)


def findings(folder: Path) -> list[Any]:
    tables = {"results": "metric, groups", "differences": "metric, groups, a"}
    return [row for table, order in tables.items() for row in read(folder, f"SELECT * FROM {table} ORDER BY {order}")]


def test_workers_batches_and_reruns_leave_the_same_store(tmp_path: Path) -> None:
    digests = []
    for name, workers, changes in (("a", 1, {}), ("b", 2, {}), ("c", 1, {"batch_size": 3})):
        (tmp_path / name).mkdir()
        make_both(tmp_path / name)
        outcome = run({**full_config(tmp_path / name), **changes}, engine=Engine(workers))
        assert outcome.shards_done > 0
        with Store.open(tmp_path / name / "store.duckdb") as store:
            digests.append(store.digest())
    assert digests[0] == digests[1] == digests[2]
    assert run(full_config(tmp_path / "a")).shards_done == 0
    with Store.open(tmp_path / "a/store.duckdb") as store:
        assert store.digest() == digests[0]


def test_the_order_and_the_cut_of_the_rows_change_no_number(tmp_path: Path) -> None:
    found = []
    for name, per_shard, seed in (("a", 7, None), ("b", 5, 1), ("c", 48, 2)):
        (tmp_path / name).mkdir()
        make_both(tmp_path / name, rows_per_shard=per_shard, seed=seed)
        config = full_config(tmp_path / name)
        config["datasets"]["real"]["path"] = str(tmp_path / "a/real")
        run(config)
        found.append(findings(tmp_path / name))
    for other in found[1:]:
        for mine, theirs in zip(found[0], other, strict=True):
            for name in mine.keys() - {"run_id"}:
                near = pytest.approx(mine[name], rel=1e-6, abs=1e-9) if isinstance(mine[name], float) else mine[name]
                assert theirs[name] == near, (name, mine, theirs)


def test_another_place_is_the_same_run_and_another_question_replaces_it(tmp_path: Path) -> None:
    make_both(tmp_path)
    config = full_config(tmp_path)
    first = run(config).run_id
    assert run({**config, "store": str(tmp_path / "elsewhere.duckdb")}).run_id == first
    second = run({**config, "compare": None}).run_id
    assert second != first
    assert [row["run_id"] for row in read(tmp_path, "SELECT run_id FROM runs")] == [second]
    run({**config, "name": "another"})
    assert len(read(tmp_path, "SELECT run_id FROM runs")) == 2


def test_the_store_leads_back_to_every_picture(tmp_path: Path) -> None:
    make_both(tmp_path)
    run(full_config(tmp_path))
    for row in read(tmp_path, "SELECT * FROM images WHERE dataset = 'generated'"):
        (place,) = read(tmp_path, "SELECT path FROM datasets WHERE dataset = 'generated'")
        table = open_dataset(Path(place["path"])).files
        assert row["shard"] in {file.name for file in table}
        from diptych.data.shards import read_shard

        file = Path(place["path"]) / "data" / row["shard"]
        assert read_shard(file, ["key"])["key"][row["shard_row"]].as_py() == row["key"]
        assert (row["model"], row["sampler"], row["steps"], row["negative_prompt"]) == (
            row["model"],
            row["setting"].partition("-")[0],
            25,
            None,
        )


def test_hostile_names_and_captions_are_only_text(tmp_path: Path) -> None:
    evil = ["'); DROP TABLE runs; --", "</script><img onerror=alert(1)>", "\u202eright to left", "汉字 🙂"]
    rows = [Made(name, prompt, caption=name * 50, category=name) for name in evil for prompt in range(3)]
    rows.append(Made(evil[0], 7, caption="x" * 1_000_000, picture=9))
    make_generated(tmp_path / "generated", rows)
    config = make_config(tmp_path, encoders=PROJECTION, scores=SIMILARITY, means=[{"score": "clip_similarity"}])
    run({**config, "compare": {"by": "model"}})
    groups = [row["groups"]["model"] for row in read(tmp_path, "SELECT groups FROM results")]
    assert sorted(groups) == sorted(evil)
    assert len(read(tmp_path, "SELECT * FROM differences WHERE groups = '{}'")) == 6


def test_pairs_are_judged_row_by_row_and_have_no_model(tmp_path: Path) -> None:
    make_dataset(tmp_path / "pairs", [Row(picture(seed), f"blobs {seed}") for seed in range(9)])
    config = make_config(tmp_path, encoders=PROJECTION, scores=SIMILARITY)
    config["datasets"] = {"web": {"path": str(tmp_path / "pairs"), "role": "pairs"}}
    with pytest.raises(ConfigError, match=r"means\.0\.by: dataset 'web': unknown column 'model'.*write by: \[\]"):
        run({**config, "means": [{"score": "clip_similarity"}]})
    run({**config, "means": [{"score": "clip_similarity", "by": []}]})
    assert "9 prompts" in result_of(tmp_path, "similarity.clip_score")["note"]


def test_columns_of_the_users_own_do_not_disturb_the_store(tmp_path: Path) -> None:
    import pyarrow as pa
    from sealed import seal_dataset

    from diptych.data.schema import data_schema
    from diptych.data.shards import write_shard

    extra = [pa.field("steps", pa.string()), pa.field("model", pa.list_(pa.int8())), pa.field("mine", pa.float64())]
    schema = data_schema(extra)
    records = [
        {"key": str(number), "image": {"bytes": picture(number), "path": None}, "status": "ok", "steps": "many"}
        for number in range(3)
    ]
    info = write_shard(pa.Table.from_pylist(records, schema=schema), tmp_path / "pairs/data/00000.parquet")
    seal_dataset(tmp_path / "pairs", [info], {"kind": "pairs", "name": "own"})
    config = make_config(tmp_path, scores={"image": {"score": "image_stats"}}, means=[{"score": "entropy", "by": []}])
    config["datasets"] = {"web": {"path": str(tmp_path / "pairs"), "role": "pairs"}}
    run(config)
    assert read(tmp_path, "SELECT DISTINCT steps, model, caption FROM images") == [
        {"steps": None, "model": None, "caption": None}
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"means": [{"score": "entropy", "by": ["modell"]}]}, "means.0.by: dataset 'generated': unknown column"),
        ({"compare": {"baseline": "rawer"}}, "compare.baseline: unknown model 'rawer'; did you mean 'raw'"),
        ({"compare": {"by": "steps"}}, r"compare: steps has one value only \(25\)"),
        ({"audit": {"attribute": "entropy", "by": []}}, r"audit.attribute: 'image\.entropy' holds numbers"),
    ],
)
def test_a_wrong_name_is_an_error_before_any_work(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    make_both(tmp_path)
    with pytest.raises(ConfigError, match=message) as caught:
        run({**full_config(tmp_path), **changes})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "generated/scores").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"means": [{"score": "clip_similarty"}]}, "means.0.score: unknown score column 'clip_similarty'; did you"),
        ({"means": [{"score": "text.caption_language"}]}, "means.0.score: unknown score column"),
        ({"audit": {"attribute": "hat"}}, "audit.attribute: unknown score column 'hat'"),
    ],
)
def test_a_column_that_no_score_can_have_is_an_error_of_the_config(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match=message):
        EvaluateConfig.model_validate({**full_config(tmp_path), **changes})


def test_a_missing_dataset_and_a_store_in_use_are_errors_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"datasets\.generated\.path: .*not a finished dataset directory"):
        run(make_config(tmp_path, scores={"image": {"score": "image_stats"}}))
    make_both(tmp_path)
    Store.open(tmp_path / "store.duckdb").close()
    with (
        Store.open(tmp_path / "store.duckdb", read_only=True),
        pytest.raises(StoreError, match="is using the store"),
    ):
        run(full_config(tmp_path))
    assert not (tmp_path / "generated/scores").exists()


def test_an_empty_dataset_gives_no_numbers_and_no_error(tmp_path: Path) -> None:
    make_generated(tmp_path / "generated", [])
    run(make_config(tmp_path, scores={"image": {"score": "image_stats"}}, means=[{"score": "entropy", "by": []}]))
    assert read(tmp_path, "SELECT * FROM results") == []


def test_a_store_that_is_in_use_at_the_very_end_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    rows = [Made("raw", number) for number in range(4)]
    make_generated(tmp_path / "generated", told(rows, ["correct=1"] * 4))
    config = make_config(tmp_path, scores={"o": {"score": "told_accuracy"}}, means=[{"score": "object_correct"}])
    real, slept, opened = Store.open, list[float](), list[Address]()

    def in_use_for_a_while(address: Address, read_only: bool = False) -> Store:
        opened.append(address)
        if 2 <= len(opened) <= 4:  # the first is the look before any work
            raise StoreInUse(f"{address}: process 7 is using the store; wait until it is done, or stop it")
        return real(address, read_only)

    monkeypatch.setattr("diptych.evaluate.run.time", SimpleNamespace(sleep=slept.append))
    monkeypatch.setattr(Store, "open", in_use_for_a_while)
    run(config)
    monkeypatch.undo()
    assert slept == [1.0] * 3
    assert len(read(tmp_path, "SELECT * FROM results")) == 1
