"""Places of models by two judges: as each metric averages, and how sure they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluate_configs import make_config, read, result_of, run
from imported_evidence import imported_facts, lines_of
from tiny_generated import Made, make_generated
from told_scores import install

CHECKS = {"include": [{"class": "cat", "count": 1}]}
SHARES = {"flux": 0.95, "sdxl": 0.5, "twin": 0.5, "sd15": 0.05}  # right pictures of each model
PROMPTS = 40
ROWS = [
    Made(model, prompt, category="counting" if prompt % 4 else "colors", checks=CHECKS, picture=None)
    for model in SHARES
    for prompt in range(PROMPTS)
]


def elsewhere(rows: list[Made]) -> dict[int, str]:
    """Return the states of rows whose pictures were judged where they are, and are missing here."""
    return dict.fromkeys(range(len(rows)), "missing")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two judges of which each says by itself what is right, in one run."""
    folder = tmp_path_factory.mktemp("ranked")
    make_generated(folder / "generated", ROWS, rows_per_shard=len(ROWS), states=elsewhere(ROWS))
    random, judges = np.random.default_rng(1), dict[str, Any]()
    for judge in ("detr", "unidet"):
        said = "".join(f"{row.key},{int(random.random() < SHARES[row.model])}\n" for row in ROWS)
        judges |= imported_facts(folder, f"{judge}.csv", f"key,label\n{said}", form="labels", judge=judge)["judges"]
    scores = {name: {"score": "object_accuracy", "judge": name} for name in judges}
    agreements = [{"a": "detr.object_correct", "b": "unidet.object_correct"}]
    means = [{"score": f"{name}.object_correct"} for name in judges]
    run(make_config(folder, judges=judges, scores=scores, agreements=agreements, means=means))
    return folder


def test_models_are_ranked_by_what_the_metric_is(folder: Path) -> None:
    for model in SHARES:
        note = result_of(folder, "detr_and_unidet.rank_change", model=model)["note"]
        for judge in ("detr", "unidet"):
            mean = result_of(folder, f"{judge}.object_accuracy", model=model)["value"]
            assert f"({mean:.4g})" in note, "the mean over categories, not over images"


def test_place_that_other_prompts_would_give_to_another_model_is_not_sure(folder: Path) -> None:
    changes = read(folder, "SELECT * FROM results WHERE metric = 'detr_and_unidet.rank_change'")
    found = {row["groups"]["model"]: (row["ci_low"], row["value"], row["ci_high"]) for row in changes}
    assert found["flux"] == (0.0, 0.0, 0.0)
    assert found["sd15"] == (0.0, 0.0, 0.0)
    assert found["sdxl"] == (-1.0, 0.0, 0.0)
    assert found["twin"] == (0.0, 0.0, 1.0)
    assert all("interval from 1,000 draws of the prompts" in row["note"] for row in changes)
    correlation = result_of(folder, "detr_and_unidet.rank_correlation")
    assert 0.5 < correlation["ci_low"] < correlation["ci_high"] <= 1.0


def test_models_of_which_some_draws_hold_no_image_have_no_sure_place(tmp_path: Path) -> None:
    """In one draw of three none of the few pictures is there; that is no share of 0."""
    rows = [row for row in ROWS if row.model in ("flux", "sd15") and (row.model == "sd15" or row.prompt == 0)]
    make_generated(tmp_path / "generated", rows, rows_per_shard=len(rows), states=elsewhere(rows))
    judges = dict[str, Any]()
    for judge in ("detr", "unidet"):
        said = "".join(f"{row.key},{int(row.model == 'flux' or row.prompt % 3 == 0)}\n" for row in rows)
        judges |= imported_facts(tmp_path, f"{judge}.csv", f"key,label\n{said}", form="labels", judge=judge)["judges"]
    scores = {name: {"score": "rating", "judge": name} for name in judges}
    run(make_config(tmp_path, judges=judges, scores=scores, agreements=[{"a": "detr.rating", "b": "unidet.rating"}]))
    for name, groups in (("rank_change", {"model": "flux"}), ("rank_correlation", {})):
        found = result_of(tmp_path, f"detr_and_unidet.{name}", **groups)
        assert (found["ci_low"], found["ci_high"]) == (None, None)
        assert found["note"].endswith("; no interval: in some draws a model has no image")


def test_models_of_equal_means_share_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third and two thirds are together what two halves are, though none of them is stored to the last bit."""
    install(monkeypatch)
    numbers = {"thirds": (1 / 3, 2 / 3), "halves": (0.5, 0.5), "tenths": (0.4, 0.6), "low": (0.1, 0.2)}
    rows = [
        Made(model, n, caption=f"number={own[n % 2]} correct={int(model == 'halves')}")
        for model, own in numbers.items()
        for n in range(12)
    ]
    make_generated(tmp_path / "generated", rows)
    scores = {"one": {"score": "told_number"}, "other": {"score": "told_accuracy"}}
    asked = {"a": "one.number", "at_least_a": 0.5, "b": "other.object_correct"}
    run(make_config(tmp_path, scores=scores, agreements=[asked]))
    changes = {model: result_of(tmp_path, "one_and_other.rank_change", model=model)["value"] for model in numbers}
    assert changes == {"thirds": 1.0, "tenths": 1.0, "halves": -1.0, "low": -1.0}, "from 2, 2, 2 and 4"


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images, each model in a dataset of its own, whose prompts are the same."""
    folder, judges = tmp_path_factory.mktemp("apart"), dict[str, Any]()
    random = np.random.default_rng(1)
    right = {judge: {row.key: int(random.random() < SHARES[row.model]) for row in ROWS} for judge in ("detr", "unidet")}
    for model in SHARES:
        own = [row for row in ROWS if row.model == model]
        make_generated(folder / model / "generated", own, rows_per_shard=len(own), states=elsewhere(own))
        for judge, said in right.items():
            text = "key,label\n" + "".join(f"{key},{value}\n" for key, value in said.items())
            judges |= imported_facts(folder / model, f"{judge}.csv", text, form="labels", judge=judge)["judges"]
    run(
        make_config(
            folder,
            datasets={model: {"path": str(folder / model / "generated"), "role": "generated"} for model in SHARES},
            judges=judges,
            scores={name: {"score": "object_accuracy", "judge": name} for name in judges},
            agreements=[{"a": "detr.object_correct", "b": "unidet.object_correct", "by": ["model"]}],
        )
    )
    return folder


def of_all(folder: Path, what: str) -> list[dict[str, Any]]:
    """Return numbers of an agreement over all datasets together, or over the only one."""
    told = "SELECT * FROM results WHERE metric = ? AND (dataset = 'generated' OR contains(dataset, '+'))"
    rows = read(folder, told, (f"detr_and_unidet.{what}",))
    kept = ("groups", "value", "se", "ci_low", "ci_high", "n", "n_unscored", "note", "reason")
    return sorted(({name: row[name] for name in kept} for row in rows), key=lambda row: sorted(row["groups"].items()))


@pytest.mark.parametrize("what", ["kappa", "agreement", "rank_change", "rank_correlation"])
def test_datasets_of_one_run_together_have_the_numbers_of_one_that_holds_all(
    folder: Path, apart: Path, what: str
) -> None:
    pooled = [row for row in of_all(apart, what) if what.startswith("rank") or "model" not in row["groups"]]
    assert pooled == of_all(folder, what)
    assert pooled


def test_each_dataset_has_its_own_numbers_and_all_together_those_of_each_model(apart: Path) -> None:
    rows = read(apart, "SELECT * FROM results WHERE metric = 'detr_and_unidet.kappa' ORDER BY dataset")
    own = {row["dataset"]: row["value"] for row in rows if not row["groups"]}
    assert set(own) == {*SHARES, "flux+sd15+sdxl+twin"}
    of_model = {
        row["groups"]["model"]: row["value"] for row in rows if "+" in row["dataset"] and "model" in row["groups"]
    }
    assert of_model == {model: own[model] for model in SHARES}
    splits = read(
        apart, "SELECT dataset, count(*) AS n FROM scores WHERE score = 'detr_and_unidet.splits' GROUP BY ALL"
    )
    assert {row["dataset"]: row["n"] for row in splits} == dict.fromkeys(SHARES, PROMPTS)


def test_datasets_of_another_role_are_apart_and_each_number_over_one_says_so(tmp_path: Path) -> None:
    """Two generated datasets are one as well; the third is of pairs, and is in none of their numbers."""
    roles = {"flux": "generated", "sd15": "generated", "twin": "pairs"}
    judges = dict[str, Any]()
    for model in roles:
        own = [row for row in ROWS if row.model == model]
        make_generated(tmp_path / model / "generated", own, rows_per_shard=len(own), states=elsewhere(own))
        for judge, every in (("detr", 2), ("unidet", 3)):
            text = "key,label\n" + "".join(f"{row.key},{int(row.prompt % every == 0)}\n" for row in ROWS)
            judges |= imported_facts(tmp_path / model, f"{judge}.csv", text, form="labels", judge=judge)["judges"]
    datasets = {model: {"path": str(tmp_path / model / "generated"), "role": role} for model, role in roles.items()}
    scores = {name: {"score": "rating", "judge": name} for name in judges}
    agreements = [{"a": "detr.rating", "b": "unidet.rating", "by": ["model"]}]
    run(make_config(tmp_path, datasets=datasets, judges=judges, scores=scores, agreements=agreements))
    for what in ("kappa", "agreement"):
        found = read(tmp_path, "FROM results WHERE metric = ?", (f"detr_and_unidet.{what}",))
        cautions = {row["dataset"]: row["caution"] for row in found if not row["groups"]}
        apart = "datasets of different roles are not one"
        of_twin = f"not with twin (pairs): {apart}"
        assert cautions == {
            **dict.fromkeys(("flux", "sd15", "flux+sd15"), of_twin),
            "twin": f"not with flux (generated), sd15 (generated): {apart}",
        }
        assert all(row["caution"] is None for row in found if row["groups"])


GRADED = {  # of each category of WISE two prompts, right by the one or the other model
    "culture": "knowing",
    "time": "wide",
    "space": "wide",
    "biology": "",
    "physics": "",
    "chemistry": "",
}


@pytest.mark.parametrize("datasets", [("generated",), ("first/generated", "second/generated")])
def test_models_are_ranked_by_the_weights_of_a_protocol(tmp_path: Path, datasets: tuple[str, ...]) -> None:
    """Of its images the wide model has more right, 4 of 12; by what categories count it is .24 against .4."""
    checks = {"questions": [{"question": "right?", "choices": [], "answer": "Score: 1"}]}
    benchmarks, judges = {"knowing": "own", "wide": "mine"}, dict[str, Any]()
    rows = [
        Made(model, number, category=category, checks=checks, picture=None, benchmark=benchmark)
        for model, benchmark in benchmarks.items()
        for number, category in enumerate(name for name in GRADED for _ in range(2))
    ]
    said = [
        {"key": row.key, "question_id": "1", "answer": f"Score: {int(GRADED[str(row.category)] == row.model)}"}
        for row in rows
    ]
    held = [rows] if len(datasets) == 1 else [[row for row in rows if row.model == model] for model in benchmarks]
    for place, own in zip(datasets, held, strict=True):
        folder = (tmp_path / place).parent
        make_generated(
            tmp_path / place, own, kinds=dict.fromkeys({row.benchmark for row in own}, "wise"), states=elsewhere(own)
        )
        for judge in ("gpt", "qwen"):
            judges |= imported_facts(folder, f"{judge}.jsonl", lines_of(*said), judge=judge)["judges"]
    run(
        make_config(
            tmp_path,
            datasets={
                f"d{n}": {"path": str(tmp_path / place), "role": "generated"} for n, place in enumerate(datasets)
            },
            judges=judges,
            protocols=[{"protocol": "wise", "judge": judge, "rules": ["official"]} for judge in ("gpt", "qwen")],
            agreements=[{"a": "wise_official_gpt.wise_score", "b": "wise_official_qwen.wise_score"}],
        )
    )
    found = read(tmp_path, "SELECT * FROM results JOIN identities USING (identity_id) WHERE metric LIKE '%rank_change'")
    notes = {row["groups"]["model"]: row["note"] for row in found if row["dataset"] in ("d0", "d0+d1")}
    assert notes["knowing"].startswith("place 1 of 2 by a (0.4), 1 by b (0.4)")
    assert notes["wide"].startswith("place 2 of 2 by a (0.24), 2 by b (0.24)")
    assert {row["identity"]["agreement"]["a"]["category_parts"]["culture"] for row in found} == {0.4}
