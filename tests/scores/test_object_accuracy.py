import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pyarrow as pa
import pytest
from drawn import picture
from own_judges import ASKED, FOUND, SEEN, box
from sealed import seal_dataset
from tiny_judges import save_owlv2

from diptych.data.dataset import Dataset
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.errors import ConfigError
from diptych.judges import make_judge
from diptych.judges.contract import Box
from diptych.pretrained.folder import PretrainedFolder
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.object_accuracy import ObjectAccuracy
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

TWO_FISH = {"include": [{"class": "fish", "count": 2, "color": "red"}]}
ONE_FISH = {"include": [{"class": "fish", "count": 1}]}
PLAN = ScorePlan({}, {"objects": ("object_accuracy", {"judge": "eye"})}, judges={"eye": ("own_boxes", {})})
EXACTLY_ONE = {**ONE_FISH, "exclude": [{"class": "fish", "count": 2}]}


def fish(score: float = 0.8, colour: str = "red") -> Box:
    return box("fish", score, colour=colour)


@pytest.fixture(autouse=True)
def _own_judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own_judges.install(monkeypatch)
    # By the height of the picture: none, one, and two fish; then a blue one beside a red one.
    FOUND.update({21: [], 22: [fish()], 23: [fish(), fish(0.7)], 24: [fish(), fish(0.7, "blue")]})
    yield
    FOUND.clear()


def table(rows: list[tuple[int | None, Any]]) -> pa.Table:
    """Return rows of a height (None: no picture) and what is asked for (a text as it is, all else as JSON)."""
    records = [
        {
            "key": f"{number:06d}",
            "image": None if height is None else {"bytes": picture(number, (30, height)), "path": None},
            "caption": "fish",
            "width": 30,
            "height": height,
            "status": "not_found" if height is None else "ok",
            "checks": asked if isinstance(asked, str | None) else json.dumps(asked),
        }
        for number, (height, asked) in enumerate(rows)
    ]
    return pa.Table.from_pylist(records, schema=data_schema([pa.field("checks", pa.string())]))


def made(judge: dict[str, Any] | None = None, **options: Any) -> ObjectAccuracy:
    """Return the score with a judge of such options."""
    found = make_score("object_accuracy", {"judge": make_judge("own_boxes", judge or {}), **options})
    assert isinstance(found, ObjectAccuracy)
    return found


def score(
    rows: list[tuple[int | None, Any]], judge: dict[str, Any] | None = None, **options: Any
) -> list[tuple[float | None, str | None, str | None]]:
    values = made(judge, **options).score(Batch(table(rows).to_batches()[0]))
    correct = [None if np.isnan(value) else float(value) for value in values["object_correct"]]
    return list(zip(correct, values["object_reason"], values["reason"], strict=True))


def make_dataset(path: Path, rows: list[tuple[int | None, Any]], rows_per_shard: int) -> Dataset:
    infos = [
        write_shard(table(rows).slice(start, rows_per_shard), path / "data" / shard_name(number))
        for number, start in enumerate(range(0, len(rows), rows_per_shard))
    ]
    return seal_dataset(path, infos, {"kind": "generated", "name": "fish", "licence": "", "made_by": {}})


def test_picture_is_right_or_has_the_reason_why_not() -> None:
    heights = (21, 22, 23, 24)
    assert score([(height, TWO_FISH) for height in heights]) == [
        (0.0, "missing", None),
        (0.0, "wrong_count", None),
        (1.0, "", None),
        (0.0, "wrong_colour", None),
    ]


def test_what_cannot_be_judged_is_not_scored() -> None:
    unknown_colour = {"include": [{"class": "fish", "count": 1, "color": "green"}]}
    rows = [
        (22, None),
        (22, ""),
        (22, {"questions": [{"question": "Is there a fish?"}]}),
        (22, "a fish"),
        (22, {"include": [{"class": "giraffe", "count": 1}]}),
        (22, {**ONE_FISH, "exclude": [{"class": "giraffe", "count": 1}]}),
        (22, unknown_colour),
        (None, ONE_FISH),
    ]
    assert score(rows) == [
        (None, None, "not_asked"),
        (None, None, "not_asked"),
        (None, None, "not_asked"),
        (None, None, "bad_checks"),
        (None, None, "unknown_class"),
        (None, None, "unknown_class"),
        (None, None, "unknown_colour"),
        (None, None, None),
    ]


def test_counting_may_ask_for_surer_boxes() -> None:
    rows: list[tuple[int | None, Any]] = [(23, EXACTLY_ONE), (23, TWO_FISH)]
    assert [verdict for _, verdict, _ in score(rows, counting_threshold=0.3)] == ["wrong_count", ""]
    assert [verdict for _, verdict, _ in score(rows, counting_threshold=0.75)] == ["", ""]
    assert [verdict for _, verdict, _ in score(rows, threshold=0.75, counting_threshold=0.75)] == ["", "wrong_count"]


def test_the_thresholds_are_genevals_own_and_others_do_not_go_by_its_name() -> None:
    """Source: evaluation/evaluate_images.py of djghosh13/geneval, THRESHOLD and COUNTING_THRESHOLD."""
    own = made()
    assert (own.threshold, own.counting_threshold, own.identity["rule"]) == (0.3, 0.9, "geneval")
    for options in ({"threshold": 0.5}, {"counting_threshold": 0.3}):
        assert made(**options).identity["rule"] == "geneval, with other thresholds"


def test_plain_judge_counts_and_knows_no_colour() -> None:
    rows: list[tuple[int | None, Any]] = [(22, ONE_FISH), (23, TWO_FISH)]
    assert score(rows, {"plain": True}) == [(1.0, "", None), (None, None, "unknown_colour")]


def test_judge_of_free_labels_is_asked_for_what_the_prompt_names() -> None:
    giraffe = {"include": [{"class": "giraffe", "count": 1}], "exclude": [{"class": "fish", "count": 1}]}
    assert score([(22, ONE_FISH), (22, giraffe), (22, ""), (None, ONE_FISH)], {"free": True}) == [
        (1.0, "", None),
        (0.0, "missing", None),
        (None, None, "not_asked"),
        (None, None, None),
    ]
    assert ASKED == [["fish"], ["fish", "giraffe"]], "nothing is looked for where nothing is asked or shown"
    assert made({"free": True}).identity["asked"] == {"labels": "checks", "version": 1}


def test_run_writes_numbers_reasons_and_the_identity_of_the_judge(tmp_path: Path) -> None:
    rows: list[tuple[int | None, Any]] = [(22, ONE_FISH), (21, ONE_FISH), (None, ONE_FISH), (22, ""), (23, TWO_FISH)]
    dataset = make_dataset(tmp_path, rows, 2)
    column_set = score_dataset(dataset.path, PLAN, threads=1, progress="none").sets["objects"]
    tables = [read_shard(path) for path in sorted(column_set.path.glob("*.parquet"))]
    assert [tuple(row.values()) for row in pa.concat_tables(tables).to_pylist()] == [
        ("000000", 1.0, "", "", None),
        ("000001", 0.0, "missing", "fish: expected 1, found none at threshold 0.3", None),
        ("000002", None, None, None, "not_found"),
        ("000003", None, None, None, "not_asked"),
        ("000004", 1.0, "", "", None),
    ]
    assert column_set.manifest["identity"]["judge"] == {"judge": "own_boxes", "plain": False, "free": False}


def test_another_threshold_over_a_judge_of_free_labels_loads_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    load = PretrainedFolder.load
    monkeypatch.setattr(PretrainedFolder, "load", lambda self, *how: loaded.append(how[0]) or load(self, *how))
    dataset = make_dataset(tmp_path / "data", [(22, {"include": [{"class": "fish", "count": 12}]}), (24, "")], 1)
    owl = {"weights": str(save_owlv2(tmp_path / "owl")), "least_score": 0.0, "device": "cpu"}
    verdicts = []
    for threshold in (0.0, 0.999):
        options = {"judge": "owl", "threshold": threshold}
        plan = ScorePlan({}, {"objects": ("object_accuracy", options)}, judges={"owl": ("owlv2", owl)})
        column_set = score_dataset(dataset.path, plan, threads=1, progress="none").sets["objects"]
        verdicts.append(read_shard(min(column_set.path.glob("*.parquet")))["object_reason"].to_pylist())
        assert loaded == ["AutoModelForZeroShotObjectDetection"]
    assert verdicts == [[""], ["wrong_count"]]


def test_judge_of_free_labels_is_refused_where_nothing_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="judge 'own_boxes' finds what it is asked for, and this score asks for noth"):
        make_score("perceived_attribute", {"judge": make_judge("own_boxes", {"free": True})})


def test_two_scores_with_the_same_judge_look_once() -> None:
    batch = Batch(table([(22, ONE_FISH), (None, ONE_FISH), (23, ONE_FISH)]).to_batches()[0])
    for name in ("object_accuracy", "perceived_attribute", "object_accuracy"):
        make_score(name, {"judge": make_judge("own_boxes", {})}).score(batch)
    assert SEEN == [2]
    made({"name": "other"}).score(batch)
    assert SEEN == [2, 2]


def test_everything_that_changes_a_number_is_in_the_identity() -> None:
    scores = [made(), made(threshold=0.5), made(counting_threshold=0.5), made({"name": "other"})]
    assert len({json.dumps(score.identity, sort_keys=True) for score in scores}) == 4


def test_threshold_of_a_rule_is_none_of_the_judge() -> None:
    (first,), (second,) = made(threshold=0.3).looks, made(threshold=0.5, counting_threshold=0.9).looks
    assert first.name == second.name


def test_pairs_from_the_web_ask_nothing_and_are_not_scored(tmp_path: Path) -> None:
    bare = table([(22, ONE_FISH)]).drop_columns(["checks"])
    info = write_shard(bare, tmp_path / "data" / shard_name(0))
    seal_dataset(tmp_path, [info], {"kind": "pairs", "name": "bare", "licence": "", "made_by": {}})
    (found,) = score_dataset(tmp_path, PLAN, threads=1, progress="none").sets.values()
    (row,) = read_shard(found.files[0]).to_pylist()
    assert (row["object_correct"], row["object_reason"], row["reason"]) == (None, None, "not_asked")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.0}, "threshold: a threshold is at least 0 and below 1, not 1.0"),
        ({"threshold": 0.04}, "threshold: 0.04 is too low: what is less sure than 0.05 this judge does not tell"),
        ({"counting_threshold": -1}, "counting_threshold: a threshold is at least 0"),
        ({"judge": "own_boxes"}, "option 'judge': stands for an object of the program, got 'own_boxes'"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_score("object_accuracy", {"judge": make_judge("own_boxes", {}), **options})
    assert message in str(caught.value)
    assert SEEN == []


def test_judge_that_finds_no_boxes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"judge 'own_text' gives no boxes; it gives text: name another one"):
        make_score("object_accuracy", {"judge": make_judge("own_text", {})})
