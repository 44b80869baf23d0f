"""What a run computes of sets of images: against values computed here pair by pair, and what each number is called."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import own_metrics
import pytest
from drawn import picture
from evaluate_configs import call, make_config, read, result_of, run
from scipy import linalg
from tiny_dataset import Row, make_dataset
from tiny_generated import Made, made_grid, make_generated

from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError
from diptych.evaluate.config import EvaluateConfig
from diptych.evaluate.run import EvaluateRunner
from diptych.scores.tables import read_embeddings

PROJECTION = {"p": {"kind": "projection", "options": {"dim": 6}}}
SIMILARITY = {"similarity": {"score": "clip_similarity", "encoder": "p"}}


def vectors_of(folder: Path) -> Any:
    (found,) = open_dataset(folder).column_sets("embeddings")
    return np.concatenate([read_embeddings(file) for file in found.files]).astype(np.float64)


def kernel_by_hand(x: Any, y: Any, units: Sequence[int]) -> float:
    """Return the kernel distance pair by pair, as the paper writes it, within x over pairs of different units."""

    def kernel(a: Any, b: Any) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    def within(z: Any, unit: Sequence[int]) -> float:
        pairs = [kernel(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if unit[i] != unit[j]]
        return float(np.mean(pairs))

    return within(x, units) + within(y, range(len(y))) - 2 * float(np.mean([kernel(a, b) for a in x for b in y]))


def frechet_by_hand(x: Any, y: Any) -> float:
    left, right = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(left @ right).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(left + right - 2 * root))


@pytest.fixture
def with_reference(tmp_path: Path) -> dict[str, Any]:
    rows = made_grid(prompts=10, samples=2)
    rows[3] = dataclasses.replace(rows[3], picture=None)
    make_generated(tmp_path / "generated", rows)
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(30)])
    config = make_config(tmp_path, encoders=PROJECTION)
    config["datasets"]["real"] = {"path": str(tmp_path / "real"), "role": "reference"}
    return config


def test_distances_to_a_reference_by_group(tmp_path: Path, with_reference: dict[str, Any]) -> None:
    distances = [
        {"metric": metric, "encoder": "p", "reference": "real"} for metric in ("frechet_distance", "kernel_distance")
    ]
    run({**with_reference, "distances": distances})
    made, real = vectors_of(tmp_path / "generated"), vectors_of(tmp_path / "real")
    known = np.isfinite(made[:20]).all(axis=1)
    curated, prompts = made[:20][known], np.arange(20)[known] // 2
    kernel = result_of(tmp_path, "kernel_distance", model="curated")
    assert kernel["value"] == pytest.approx(kernel_by_hand(curated, real, prompts), abs=1e-9)
    frechet = result_of(tmp_path, "frechet_distance", model="raw")
    assert frechet["value"] == pytest.approx(frechet_by_hand(made[20:], real), rel=1e-6)
    assert (frechet["size_bias"], kernel["size_bias"]) == ("uncorrected", None)
    for row in (kernel, result_of(tmp_path, "frechet_distance", model="curated")):
        assert (row["n"], row["n_unscored"], row["better"]) == (19, 1, "lower")
    assert kernel["ci_low"] < kernel["value"] < kernel["ci_high"]
    assert (frechet["se"], frechet["ci_low"], frechet["ci_high"]) == (None, None, None)
    assert "cannot be corrected: 10 prompts, or images that stand alone, are too few" in frechet["note"]
    assert not read(tmp_path, "SELECT * FROM results WHERE metric = 'corrected_frechet_distance'")
    (identity,) = read(tmp_path, "SELECT identity FROM identities WHERE identity_id = ?", (kernel["identity_id"],))
    assert identity["identity"]["reference"] == open_dataset(tmp_path / "real").fingerprint
    assert identity["identity"]["encoder"]["encoder"] == "projection"


def test_a_reference_is_embedded_but_not_scored_and_not_judged(tmp_path: Path, with_reference: dict[str, Any]) -> None:
    distances = [{"metric": "kernel_distance", "encoder": "p", "reference": "real"}]
    run({**with_reference, "scores": SIMILARITY, "distances": distances, "means": [{"score": "clip_similarity"}]})
    assert not (tmp_path / "real/scores").exists()
    assert (tmp_path / "real/embeddings").is_dir()
    assert {row["dataset"] for row in read(tmp_path, "SELECT dataset FROM results")} == {"generated"}
    assert {row["dataset"] for row in read(tmp_path, "SELECT dataset FROM images")} == {"generated", "real"}


def test_two_encoders_never_share_a_name_nor_an_identity(tmp_path: Path, with_reference: dict[str, Any]) -> None:
    encoders = {name: {"kind": "projection", "options": {"dim": dim}} for name, dim in (("six", 6), ("four", 4))}
    config = {
        **with_reference,
        "encoders": encoders,
        "scores": {name: {"score": "clip_similarity", "encoder": name} for name in encoders},
        "means": [{"score": f"{name}.clip_similarity", "by": []} for name in encoders],
        "distances": [
            {"metric": "kernel_distance", "encoder": name, "reference": "real", "by": []} for name in encoders
        ],
    }
    run(config)
    found = read(tmp_path, "SELECT metric, identity_id FROM results ORDER BY metric")
    assert [row["metric"] for row in found] == [
        "four.clip_score",
        "four.kernel_distance",
        "six.clip_score",
        "six.kernel_distance",
    ]
    assert len({row["identity_id"] for row in found}) == 4
    assert {row["score"] for row in read(tmp_path, "SELECT score FROM score_columns")} >= {
        "four.clip_similarity",
        "six.clip_similarity",
    }


def test_too_few_images_for_a_distance_are_said_and_do_not_stop_the_run(
    tmp_path: Path, with_reference: dict[str, Any]
) -> None:
    make_generated(tmp_path / "generated", [Made("raw", 0), Made("other", 0, picture=None)])
    distances = [
        {"metric": metric, "encoder": "p", "reference": "real"} for metric in ("frechet_distance", "kernel_distance")
    ]
    run({**with_reference, "distances": distances})
    for row in read(tmp_path, "SELECT value, reason FROM results"):
        assert (row["value"], row["reason"]) == (None, "too_few_images")


def difference_of(folder: Path, metric: str) -> dict[str, Any]:
    (row,) = read(folder, "SELECT * FROM differences WHERE metric = ?", (metric,))
    return row


@pytest.mark.parametrize(
    ("metric", "value"),
    [("frechet_distance", "corrected_frechet_distance"), ("kernel_distance", "kernel_distance")],
)
def test_distances_are_compared_too(metric: str, value: str, tmp_path: Path, with_reference: dict[str, Any]) -> None:
    make_generated(tmp_path / "generated", made_grid(prompts=66, samples=2))
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(70)])
    distances = [{"metric": metric, "encoder": "p", "reference": "real"}]
    scores = {"image": {"score": "image_stats"}}
    config = {**with_reference, "scores": scores, "means": [{"score": "entropy"}], "distances": distances}
    run({**config, "compare": {"baseline": "raw"}})
    row = difference_of(tmp_path, value)
    sides = {name: result_of(tmp_path, value, model=name) for name in ("curated", "raw")}
    assert (row["a"], row["b"], row["better"]) == ("curated", "raw", "lower")
    assert row["value"] == pytest.approx(sides["curated"]["value"] - sides["raw"]["value"])
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert (row["n"], row["n_clusters"], row["identity_id"]) == (132, 66, sides["raw"]["identity_id"])
    apart = (sides["curated"]["se"] ** 2 + sides["raw"]["se"] ** 2) ** 0.5
    assert 0 < row["se"] < 1.2 * apart  # the reference's noise is in both and cancels
    assert row["p_value"] == row["p_adjusted"]


def test_published_distances_are_compared_at_equal_n_and_without_an_interval(
    tmp_path: Path, with_reference: dict[str, Any]
) -> None:
    """Nothing tells the images of a prompt apart here, so that no image has one partner: they are drawn."""
    grid = [dataclasses.replace(row, sample=0) for row in made_grid(prompts=10, samples=2)]
    make_generated(tmp_path / "generated", [dataclasses.replace(grid[3], picture=None), *grid[:3], *grid[4:]])
    distances = [{"metric": "frechet_distance", "encoder": "p", "reference": "real"}]
    run({**with_reference, "distances": distances, "compare": {"baseline": "raw"}})
    (row,) = read(tmp_path, "SELECT * FROM differences WHERE metric = 'frechet_distance'")
    made, real = vectors_of(tmp_path / "generated"), vectors_of(tmp_path / "real")
    curated = frechet_by_hand(made[:20][np.isfinite(made[:20]).all(axis=1)], real)
    keys = [row.key for row in grid[20:]]
    last = max(range(20), key=lambda number: hashlib.sha256(keys[number].encode()).digest())
    raw = frechet_by_hand(np.delete(made[20:], last, axis=0), real)
    assert row["value"] == pytest.approx(curated - raw, rel=1e-5), "19 of the 20 images of the other"
    assert (row["reason"], row["n"], row["groups"]) == ("no_interval", 19, {"equal_n": 19})
    assert [row[name] for name in ("se", "ci_low", "ci_high", "p_value", "p_adjusted")] == [None] * 5
    said = call("evaluate", "compare", tmp_path / "store.duckdb", "curated", "raw").stdout
    assert "without an interval (no_interval; 19 pairs of 10 prompts, at 19 images of each, drawn)" in said


def test_images_of_the_reference_among_the_judged_are_found_and_leave_no_error(
    tmp_path: Path, with_reference: dict[str, Any]
) -> None:
    """A model that returns training images: no interval that takes the two sets for independent."""
    rows = made_grid(models=("copies", "own"), prompts=70, samples=1)
    rows = [dataclasses.replace(row, picture=1000 + row.prompt) if row.model == "copies" else row for row in rows]
    make_generated(tmp_path / "generated", rows)
    reference = [Row(picture(1000 + seed, kind="PNG"), f"real {seed}") for seed in range(80)]
    make_dataset(tmp_path / "real", reference)
    config = {**with_reference, "encoders": {"p": {"kind": "projection", "options": {"dim": 12}}}}
    metrics = ("frechet_distance", "kernel_distance", "precision_recall")
    distances = [{"metric": metric, "encoder": "p", "reference": "real"} for metric in metrics]
    run({**config, "distances": distances, "compare": {}})
    copies = read(tmp_path, "SELECT * FROM results WHERE groups->>'model' = 'copies'")
    assert {row["metric"] for row in copies} == {"frechet_distance", "biased_kernel_distance", "precision", "recall"}
    for row in copies:
        assert (
            "the two sets depend on each other: 70 of 70 different images are in both sets (equal vectors)"
            in row["caution"]
        )
        assert (row["se"], row["ci_low"], row["ci_high"]) == (None, None, None)
        assert row["value"] >= 0.0
    own = result_of(tmp_path, "kernel_distance", model="own")
    assert own["ci_low"] < own["value"] < own["ci_high"]
    reasons = {row["metric"]: row["reason"] for row in read(tmp_path, "SELECT metric, reason FROM differences")}
    lost = ("corrected_frechet_distance", "kernel_distance", "biased_kernel_distance")
    assert reasons == {
        **dict.fromkeys(("frechet_distance", "precision", "recall"), "no_interval"),
        **dict.fromkeys(lost, "not_of_both"),
    }
    refused = call("evaluate", "compare", tmp_path / "store.duckdb", "copies", "own", "--metric", "kernel_distance")
    assert (refused.exit_code, "has no kernel_distance of copies" in refused.output) == (1, True)


def test_models_that_return_images_of_the_reference_are_compared_at_equal_n(
    tmp_path: Path, with_reference: dict[str, Any]
) -> None:
    """The biased kernel distance falls as n grows: by it 60 and 24 copies of reference images were not the same."""
    copies = {"many": 60, "few": 24}
    rows = [Made(model, row % 24, picture=1000 + row) for model, count in copies.items() for row in range(count)]
    make_generated(tmp_path / "generated", rows)
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed, kind="PNG"), f"real {seed}") for seed in range(80)])
    distances = [{"metric": "kernel_distance", "encoder": "p", "reference": "real"}]
    config = {**with_reference, "encoders": {"p": {"kind": "projection", "options": {"dim": 12}}}}
    run({**config, "distances": distances, "compare": {"baseline": "few"}})
    many, few = (result_of(tmp_path, "biased_kernel_distance", model=model) for model in copies)
    assert (many["size_bias"], few["size_bias"]) == ("uncorrected", "uncorrected")
    row = difference_of(tmp_path, "biased_kernel_distance")
    assert (row["n"], row["groups"], row["reason"]) == (24, {"equal_n": 24}, "no_interval")
    assert abs(row["value"]) < 0.8 * abs(many["value"] - few["value"]), "what is left is which 24 they are"


def test_a_model_whose_images_are_all_alike_is_a_finding_and_the_run_goes_on(
    tmp_path: Path, with_reference: dict[str, Any]
) -> None:
    rows = made_grid(models=("alike", "broken", "good"), prompts=70, samples=1)
    pictures = {"alike": 7, "broken": None}
    rows = [dataclasses.replace(row, picture=pictures.get(row.model, row.picture)) for row in rows]
    make_generated(tmp_path / "generated", [*rows, Made("single", 0, picture=999)])
    make_dataset(tmp_path / "real", [Row(picture(1000 + seed), f"real {seed}") for seed in range(80)])
    metrics = ("frechet_distance", "kernel_distance", "precision_recall")
    config = {
        **with_reference,
        "scores": {**SIMILARITY, "image": {"score": "image_stats"}},
        "means": [{"score": "clip_similarity"}, {"score": "entropy"}],
        "distances": [{"metric": metric, "encoder": "p", "reference": "real"} for metric in metrics],
        "compare": {"baseline": "good"},
    }
    run(config)
    published = result_of(tmp_path, "frechet_distance", model="alike")
    assert published["value"] > result_of(tmp_path, "frechet_distance", model="good")["value"]
    assert "all 70 images of a set are alike" in published["note"]
    corrected = result_of(tmp_path, "corrected_frechet_distance", model="alike")
    assert (corrected["value"], corrected["reason"]) == (None, "no_spread")
    assert result_of(tmp_path, "corrected_frechet_distance", model="good")["reason"] is None
    reasons = {(row["metric"], row["a"]): row["reason"] for row in read(tmp_path, "SELECT * FROM differences")}
    assert reasons["corrected_frechet_distance", "alike"] == "no_spread"
    assert reasons["frechet_distance", "broken"] == reasons["kernel_distance", "single"] == "too_few_images"
    for table in ("results", "differences"):
        for row in read(tmp_path, f"SELECT * FROM {table}"):
            assert row["value"] is not None or row["reason"], row
            assert row["ci_low"] is not None or row["se"] is None, "no error where there is no interval"
    assert call("evaluate", "results", tmp_path / "store.duckdb").exit_code == 0


def test_a_pairing_that_nothing_tells_can_be_declared(tmp_path: Path, with_reference: dict[str, Any]) -> None:
    distance = {"metric": "kernel_distance", "encoder": "p", "reference": "real", "paired": True}
    run({**with_reference, "distances": [distance]})
    row = result_of(tmp_path, "biased_kernel_distance", model="raw")
    assert row["caution"].startswith(
        "no interval: the two sets depend on each other: declared to be versions of the same"
    )
    assert row["value"] >= 0.0
    assert row["ci_low"] is None
    make_generated(tmp_path / "other", made_grid(models=("other",), prompts=12, samples=2))
    with_reference["datasets"]["other"] = {"path": str(tmp_path / "other")}
    own = [{**distance, "datasets": ["generated"]}, {**distance, "paired": False, "datasets": ["other"]}]
    run({**with_reference, "distances": own})
    assert result_of(tmp_path, "biased_kernel_distance", model="raw")["ci_low"] is None
    assert result_of(tmp_path, "kernel_distance", model="other")["ci_low"] is not None, "of which nobody said it"
    wrong = {"metric": "precision_recall", "encoder": "p", "paired": True}
    with pytest.raises(ConfigError, match=r"distances\.0\.reference: precision_recall compares with a reference"):
        run({**with_reference, "distances": [wrong]})


def test_a_metric_of_one_set_needs_no_reference_and_reports_each_of_its_values(
    tmp_path: Path, with_reference: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_metrics.install(monkeypatch)
    config = {**with_reference, "distances": [{"metric": "spread", "encoder": "p"}], "compare": {"baseline": "raw"}}
    run(config)
    vectors = vectors_of(tmp_path / "generated")[20:]
    squares = ((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1)
    for name, value, better, unit in (
        ("spread", squares.mean(), "higher", "squared length"),
        ("reach", squares.max(), None, ""),
    ):
        row = result_of(tmp_path, name, model="raw")
        assert row["value"] == pytest.approx(value, rel=1e-5)
        assert (row["better"], row["unit"], row["size_bias"], row["n"]) == (better, unit, "uncorrected", 20)
        assert row["note"] == "no interval: a test's metric"
        difference = difference_of(tmp_path, name)
        assert difference["reason"] == "error_unknown"
        assert (difference["n"], difference["groups"]) == (19, {"left_out_b": 1})
    (identity,) = read(tmp_path, "SELECT identity FROM identities WHERE identity->>'metric' = 'spread'")
    assert "reference" not in identity["identity"]
    said = call("evaluate", "compare", tmp_path / "store.duckdb", "curated", "raw").stdout
    assert "spread: curated - raw = " in said
    left_out = "over the images that both have, 1 of raw left out"
    assert f"without an interval (error_unknown; 19 pairs of 10 prompts, {left_out})" in said
    assert EvaluateRunner(EvaluateConfig.model_validate(config)).estimate()["distances"] == ["spread by p"]
    told = call(
        "evaluate", "distance", tmp_path / "generated", "--metric", "spread", "--encoder", "projection", "--json"
    )
    assert list(json.loads(told.stdout)["values"]) == ["spread", "reach"]


def test_what_two_entries_ask_for_is_there_once(tmp_path: Path, with_reference: dict[str, Any]) -> None:
    distance = {"encoder": "p", "reference": "real"}
    once = [{**distance, "metric": metric} for metric in ("fid", "kernel_distance")]
    twice = [
        *once,
        {**distance, "metric": "frechet_distance"},
        {**distance, "metric": "kid", "datasets": ["generated"]},
    ]
    means = [{"score": "clip_similarity"}, {"score": "clip_similarity", "datasets": ["generated"]}]
    found = {}
    for name, entries, averaged in (("once", once, means[:1]), ("twice", twice, means)):
        config = {**with_reference, "scores": SIMILARITY, "distances": entries, "means": averaged, "compare": {}}
        run({**config, "name": name})
        for table in ("results", "differences"):
            rows = read(tmp_path, f"SELECT * FROM {table} WHERE run_id LIKE '{name}-%' ORDER BY metric, groups")
            found[name, table] = [{key: value for key, value in row.items() if key != "run_id"} for row in rows]
    assert found["once", "results"] == found["twice", "results"]
    assert found["once", "differences"] == found["twice", "differences"]
    assert [row["metric"] for row in found["twice", "differences"]].count("frechet_distance") == 1
    assert EvaluateRunner(EvaluateConfig.model_validate(config)).estimate()["distances"] == [
        "frechet_distance to real by p",
        "kernel_distance to real by p",
    ]


@pytest.mark.parametrize(
    ("distance", "message"),
    [
        ({"metric": "kernel_distance"}, "distances.0.reference: kernel_distance compares with a reference"),
        ({"metric": "spread", "reference": "real"}, "distances.0.reference: spread looks at one set of images alone"),
    ],
)
def test_a_reference_is_named_where_a_metric_compares_with_one_and_nowhere_else(
    distance: dict[str, Any], message: str, with_reference: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_metrics.install(monkeypatch)
    with pytest.raises(ConfigError, match=message):
        run({**with_reference, "distances": [{**distance, "encoder": "p"}]})


def test_metrics_stand_in_the_store_in_the_order_of_the_config(tmp_path: Path, with_reference: dict[str, Any]) -> None:
    config = {
        **with_reference,
        "scores": {"image": {"score": "image_stats"}},
        "means": [{"score": "sharpness"}, {"score": "entropy"}],
        "distances": [
            {"metric": metric, "encoder": "p", "reference": "real"}
            for metric in ("kernel_distance", "frechet_distance")
        ],
    }
    run(config)
    rows = read(tmp_path, "SELECT DISTINCT metric, place FROM results ORDER BY place")
    assert [row["metric"] for row in rows] == [
        "image.sharpness",
        "image.entropy",
        "kernel_distance",
        "frechet_distance",
    ]
    assert [row["place"] for row in rows] == [0, 1, 2, 3]
