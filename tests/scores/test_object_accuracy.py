import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import own_detectors
import pyarrow as pa
import pytest
from drawn import picture
from own_detectors import FOUND, SEEN, TARGET
from sealed import seal_dataset

from diptych.data.dataset import Dataset
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.errors import ConfigError, DataError
from diptych.judges.boxes import DETECTORS, Detection
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.run import ScorePlan, score_dataset

TWO_FISH = {"include": [{"class": "fish", "count": 2, "color": "red"}]}
ONE_FISH = {"include": [{"class": "fish", "count": 1}]}
EXACTLY_ONE = {**ONE_FISH, "exclude": [{"class": "fish", "count": 2}]}


def fish(score: float = 0.8, colour: str = "red") -> Detection:
    return Detection("fish", score, (0.0, 0.0, 9.0, 9.0), colour)


@pytest.fixture(autouse=True)
def _own_detector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(DETECTORS, "own", TARGET)
    # By the height of the picture: none, one, and two fish; then a blue one beside a red one.
    FOUND.update({21: [], 22: [fish()], 23: [fish(), fish(0.7)], 24: [fish(), fish(0.7, "blue")]})
    SEEN.clear()
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


def score(rows: list[tuple[int | None, Any]], **options: Any) -> list[tuple[float | None, str | None, str | None]]:
    values = make_score("object_accuracy", {"detector": "own", **options}).score(Batch(table(rows).to_batches()[0]))
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


def test_counting_may_ask_for_surer_detections() -> None:
    rows: list[tuple[int | None, Any]] = [(23, EXACTLY_ONE), (23, TWO_FISH)]
    assert [verdict for _, verdict, _ in score(rows)] == ["wrong_count", ""]
    assert [verdict for _, verdict, _ in score(rows, counting_threshold=0.75)] == ["", ""]
    assert [verdict for _, verdict, _ in score(rows, threshold=0.75)] == ["", "wrong_count"]


def test_run_writes_numbers_reasons_and_the_identity_of_the_detector(tmp_path: Path) -> None:
    rows: list[tuple[int | None, Any]] = [(22, ONE_FISH), (21, ONE_FISH), (None, ONE_FISH), (22, ""), (23, TWO_FISH)]
    dataset = make_dataset(tmp_path, rows, 2)
    plan = ScorePlan({}, {"objects": ("object_accuracy", {"detector": "own"})})
    column_set = score_dataset(dataset.path, plan, threads=1, progress="none").sets["objects"]
    tables = [read_shard(path) for path in sorted(column_set.path.glob("*.parquet"))]
    assert [tuple(row.values()) for row in pa.concat_tables(tables).to_pylist()] == [
        ("000000", 1.0, "", None),
        ("000001", 0.0, "missing", None),
        ("000002", None, None, "not_found"),
        ("000003", None, None, "not_asked"),
        ("000004", 1.0, "", None),
    ]
    facts = json.loads((column_set.path / "_score.json").read_text(encoding="utf-8"))
    assert facts["identity"]["detector"] == {"detector": "own"}


def test_two_scores_with_the_same_detector_look_once() -> None:
    batch = Batch(table([(22, ONE_FISH), (None, ONE_FISH), (23, ONE_FISH)]).to_batches()[0])
    for name in ("object_accuracy", "perceived_attribute", "object_accuracy"):
        make_score(name, {"detector": "own"}).score(batch)
    assert SEEN == [2]
    make_score("object_accuracy", {"detector": "own", "detector_options": {"name": "other"}}).score(batch)
    assert SEEN == [2, 2]


def test_everything_that_changes_a_number_is_in_the_identity() -> None:
    options = [{}, {"threshold": 0.5}, {"counting_threshold": 0.9}, {"detector_options": {"name": "other"}}]
    identities = [make_score("object_accuracy", {"detector": "own", **given}).identity for given in options]
    assert len({json.dumps(identity, sort_keys=True) for identity in identities}) == 4


def test_data_without_checks_are_refused(tmp_path: Path) -> None:
    bare = table([(22, ONE_FISH)]).drop_columns(["checks"])
    info = write_shard(bare, tmp_path / "data" / shard_name(0))
    seal_dataset(tmp_path, [info], {"kind": "pairs", "name": "bare", "licence": "", "made_by": {}})
    plan = ScorePlan({}, {"objects": ("object_accuracy", {"detector": "own"})})
    with pytest.raises(DataError, match=r"00000\.parquet: unknown column 'checks'.*Known: caption, "):
        score_dataset(tmp_path, plan, threads=1, progress="none")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detector": "onw"}, "unknown detector 'onw'; did you mean 'own'"),
        ({"detector": "own", "detector_options": {"nmae": "x"}}, "detector 'own': unknown option 'nmae'; did you mean"),
        ({}, "detector 'centre_point': the option 'weights' is missing"),
        ({"detector": "own", "threshold": 1.0}, "threshold: a threshold is at least 0 and below 1, not 1.0"),
        ({"detector": "own", "counting_threshold": -1}, "counting_threshold: a threshold is at least 0"),
        ({"detector": 3}, "score 'object_accuracy': option 'detector': Input should be a valid string"),
    ],
)
def test_wrong_options_say_what_is_wrong(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_score("object_accuracy", options)
    assert message in str(caught.value)
    assert own_detectors.SEEN == []
