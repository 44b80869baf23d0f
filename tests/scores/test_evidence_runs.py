"""What a run does with evidence: judges look once, rules run again without them."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import own_judges
import pytest
from click.testing import CliRunner
from drawn import picture
from own_judges import ASKED, FOUND, SEEN, WRITTEN, box
from tiny_dataset import Row, good_rows, make_dataset

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.jobs.engine import Engine
from diptych.judges import make_judge
from diptych.judges.boxes.centre_point import CentrePoint
from diptych.judges.contract import Answer, Box, Query, TextLine
from diptych.judges.evidence import ANSWERS, BOXES, TEXT, read_evidence
from diptych.scores import SCORES, Column, Reads
from diptych.scores.batches import Batch
from diptych.scores.looks import Look, look_with
from diptych.scores.plan import ScorePlan
from diptych.scores.run import ScoreRun, score_dataset

HEIGHTS = (21, 22, 23, 22, 21)
DETECTOR = {"weights": "package:diptych.demo/models/detector", "device": "cpu"}


@dataclass(frozen=True)
class Count:
    """How many records there are of one kind, more sure than a threshold; the rule of these tests."""

    look: Look[Any]
    threshold: float = 0.0
    columns: tuple[Column, ...] = (Column("count", "how many"),)
    reads: frozenset[Reads] = frozenset({"evidence"})

    @property
    def looks(self) -> tuple[Look[Any], ...]:
        return (self.look,)

    @property
    def identity(self) -> dict[str, Any]:
        return {"score": "count", "threshold": self.threshold, **self.look.identity}

    def score(self, batch: Batch) -> dict[str, Any]:
        found = batch.evidence(self.look)
        sure = [None if some is None else sum(self._is_sure(one) for one in some) for some in found]
        return {"count": np.array([np.nan if count is None else count for count in sure], np.float32)}

    def _is_sure(self, record: Any) -> bool:
        return not isinstance(record, Box) or record.score > self.threshold


@dataclass(frozen=True)
class Caption:
    """Asks of each row whether its caption is right."""

    identity: dict[str, Any] = field(default_factory=lambda: {"questions": "caption"})

    def of(self, batch: Batch) -> list[Sequence[Query]]:
        return [[Query(f"{caption}?", ("yes", "no"))] if caption else [] for caption in batch.captions]


@dataclass(frozen=True)
class VectorJudge:
    """Answers from the vectors of an encoder: how long they are."""

    encoder: Encoder
    identity: dict[str, Any] = field(default_factory=lambda: {"judge": "vectors"})

    def answers(self, vectors: Sequence[Any], questions: Sequence[Sequence[Query]]) -> list[list[Answer]]:
        SEEN.append(len(vectors))
        return [
            [Answer(question.text, (), (), str(vector.shape)) for question in some]
            for vector, some in zip(vectors, questions, strict=True)
        ]


def count_boxes(*, judge: Any, threshold: float = 0.0) -> Count:
    return Count(look_with(judge, BOXES), threshold)


def count_answers(*, judge: Any) -> Count:
    return Count(look_with(judge, ANSWERS, Caption()))


def count_lines(*, judge: Any) -> Count:
    return Count(look_with(judge, TEXT))


def count_from_vectors(*, encoder: Any, threshold: float = 0.0) -> Count:
    return Count(look_with(VectorJudge(encoder), ANSWERS, Caption()), threshold)


@pytest.fixture(autouse=True)
def _table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own_judges.install(monkeypatch)
    for name in ("count_answers", "count_boxes", "count_from_vectors", "count_lines"):
        monkeypatch.setitem(SCORES, name, f"{__name__}:{name}")
    FOUND.update({22: [box("fish", 0.8)], 23: [box("fish", 0.9), box("boat", 0.4)]})
    yield
    FOUND.clear()


def rows() -> list[Row]:
    """Return five pictures of known heights, the last without a caption, then three rows without a picture."""
    pictures = [
        Row(picture(seed, (30, height)), f"row {seed}", size=(30, height)) for seed, height in enumerate(HEIGHTS)
    ]
    bad = [Row(None, "lost", "not_found", None), Row(b"<html>", "no picture"), Row(picture(7)[:200], "cut short")]
    return [*pictures[:4], Row(pictures[4].data, None, size=(30, 21)), *bad]


def plan(*thresholds: float, judge: str = "own_boxes") -> ScorePlan:
    scores = {
        f"count_{threshold}": ("count_boxes", {"judge": "eye", "threshold": threshold}) for threshold in thresholds
    }
    return ScorePlan({}, scores, judges={"eye": (judge, {})})


def score(path: Path, what: ScorePlan, **options: Any) -> ScoreRun:
    return score_dataset(path, what, progress="none", **options)


def column(run: ScoreRun, label: str, name: str = "count") -> list[Any]:
    return [value for file in run.sets[label].files for value in read_shard(file)[name].to_pylist()]


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def contents(path: Path) -> dict[str, str]:
    """Return the digest of each file beside the data."""
    files = [file for folder in ("evidence", "scores") for file in (path / folder).rglob("*.parquet")]
    return {file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_judge_looks_at_each_image_once_however_many_scores_ask(tmp_path: Path, decoded: list[bytes]) -> None:
    make_dataset(tmp_path, rows())
    run = score(tmp_path, plan(0.0, 0.5, 0.85), batch_size=3)
    assert sum(SEEN) == 5
    assert len(decoded) == 7, "five that can be decoded and two that cannot"
    assert [column(run, f"count_{threshold}")[:5] for threshold in (0.0, 0.5, 0.85)] == [
        [0, 1, 2, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]


def test_evidence_lies_beside_the_scores_with_the_rows_of_the_data(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, rows())
    score(tmp_path, plan(0.0))
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    assert found.name.startswith("own_boxes-")
    assert (found.manifest["judge"], found.manifest["kind"]) == ("own_boxes", "boxes")
    assert found.manifest["identity"]["judge"]["judge"] == "own_boxes"
    for data, file in zip(dataset.files, found.files, strict=True):
        assert read_shard(file, ["key"]).equals(read_shard(data, ["key"]))
    seen = [read_evidence(BOXES, file) for file in found.files]
    assert seen[0].records == [FOUND.get(height, []) for height in HEIGHTS[:4]]
    assert (seen[1].records, seen[1].reasons) == (
        [[], None, None, None],
        [None, "not_found", "not_an_image", "truncated"],
    )


def test_picture_that_a_judge_cannot_take_has_that_reason_in_evidence_and_score(tmp_path: Path) -> None:
    FOUND[22] = None
    make_dataset(tmp_path, rows(), rows_per_shard=100)
    for threshold in (0.0, 0.5):
        run = score(tmp_path, plan(threshold))
        assert column(run, f"count_{threshold}")[:5] == [0, None, 1 if threshold else 2, None, 0]
        assert column(run, f"count_{threshold}", "reason")[1] == "judge_failed"
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    records, reasons = read_evidence(BOXES, found.files[0])
    assert (records[1], reasons[1], reasons[0]) == (None, "judge_failed", None)
    assert len(SEEN) == 1, "a picture that failed is not looked at again"


def test_another_rule_reads_stored_evidence_and_neither_looks_nor_decodes(tmp_path: Path, decoded: list[bytes]) -> None:
    make_dataset(tmp_path / "set", rows())
    make_dataset(tmp_path / "fresh", rows())
    score(tmp_path / "set", plan(0.0))
    SEEN.clear()
    decoded.clear()
    run = score(tmp_path / "set", plan(0.5), batch_size=3)
    assert (run.shards_done, SEEN, decoded) == (2, [], [])
    assert len(open_dataset(tmp_path / "set").column_sets("evidence")) == 1
    fresh = score(tmp_path / "fresh", plan(0.5))
    for name in ("count", "reason"):
        assert column(run, "count_0.5", name) == column(fresh, "count_0.5", name)


def test_another_threshold_loads_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(tmp_path, good_rows(3))
    judges = {"eye": ("centre_point", DETECTOR)}

    def threshold(value: float) -> ScorePlan:
        return ScorePlan({}, {"hats": ("perceived_attribute", {"judge": "eye", "threshold": value})}, judges=judges)

    first = score(tmp_path, threshold(0.3))
    monkeypatch.setattr(CentrePoint, "_model", property(lambda _: pytest.fail("a model was loaded")))
    second = score(tmp_path, threshold(0.4))
    assert (first.shards_done, second.shards_done) == (1, 1)
    assert first.sets["hats"].path != second.sets["hats"].path
    assert len(open_dataset(tmp_path).column_sets("evidence")) == 1


def test_no_rule_reads_damaged_evidence_and_only_what_is_damaged_is_looked_at_again(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows())
    score(tmp_path, plan(0.0))
    whole = contents(tmp_path)
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    flip_a_bit(found.files[1].path)
    assert CliRunner().invoke(main, ["verify", str(tmp_path)]).exit_code == 1
    SEEN.clear()
    assert score(tmp_path, plan(0.0)).shards_done == 1
    assert (SEEN, contents(tmp_path)) == ([1], whole), "one picture of the second shard can be looked at"
    assert CliRunner().invoke(main, ["verify", str(tmp_path)]).exit_code == 0


def test_other_judges_leave_evidence_of_their_own(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows())
    judges = {"one": ("own_boxes", {}), "two": ("own_boxes", {"name": "second"}), "same": ("own_boxes", {})}
    scores = {label: ("count_boxes", {"judge": label}) for label in judges}
    run = score(tmp_path, ScorePlan({}, scores, judges=judges))
    assert run.sets["one"] == run.sets["same"]
    assert [found.name.rpartition("-")[0] for found in open_dataset(tmp_path).column_sets("evidence")] == [
        "own_boxes",
        "second",
    ]


def test_evidence_that_was_deleted_is_missed_by_nobody_until_a_rule_asks(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows())
    score(tmp_path, plan(0.0))
    shutil.rmtree(tmp_path / "evidence")
    SEEN.clear()
    assert (score(tmp_path, plan(0.0)).shards_done, SEEN) == (0, [])
    assert column(score(tmp_path, plan(0.0, 0.5)), "count_0.5")[:5] == [0, 1, 1, 1, 0]
    assert sum(SEEN) == 5


@pytest.mark.parametrize("options", [{"batch_size": 1}, {"batch_size": 3, "threads": 1}], ids=str)
def test_files_do_not_depend_on_how_the_work_was_cut(tmp_path: Path, options: dict[str, int]) -> None:
    for name in ("usual", "cut"):
        make_dataset(tmp_path / name, rows())
    score(tmp_path / "usual", plan(0.0, 0.5))
    score(tmp_path / "cut", plan(0.0, 0.5), **options)
    assert contents(tmp_path / "cut") == contents(tmp_path / "usual")
    assert len(contents(tmp_path / "cut")) == 6


def test_workers_leave_the_same_evidence(tmp_path: Path) -> None:
    what = ScorePlan(
        {}, {"hats": ("perceived_attribute", {"judge": "eye"})}, judges={"eye": ("centre_point", DETECTOR)}
    )
    for name in ("one", "two"):
        make_dataset(tmp_path / name, [*good_rows(5), Row(None, "lost", "not_found", None)])
    score(tmp_path / "one", what)
    score(tmp_path / "two", what, engine=Engine(2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 4


def test_questions_are_asked_row_by_row_and_stored_with_their_answers(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(), rows_per_shard=100)
    what = ScorePlan({}, {"count": ("count_answers", {"judge": "eye"})}, judges={"eye": ("own_answers", {})})
    run = score(tmp_path, what)
    assert column(run, "count") == [1, 1, 1, 1, 0, None, None, None]
    assert [question.text for (question,) in ASKED] == ["row 0?", "row 1?", "row 2?", "row 3?"]
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    records = read_evidence(ANSWERS, found.files[0]).records
    assert records[:1] == [[Answer("row 0?", ("yes", "no"), (0.75, 0.25), "yes")]]
    assert records[4:6] == [[], None], "a row that asks nothing was not looked at in vain"
    assert found.manifest["identity"]["asked"] == {"questions": "caption"}


def test_lines_of_text_are_stored(tmp_path: Path) -> None:
    make_dataset(tmp_path, rows(), rows_per_shard=100)
    WRITTEN[22] = [TextLine("OPEN", 0.9, (0.0, 0.0, 8.0, 2.0))]
    run = score(tmp_path, ScorePlan({}, {"count": ("count_lines", {"judge": "eye"})}, judges={"eye": ("own_text", {})}))
    assert column(run, "count")[:5] == [0, 1, 0, 1, 0]
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    assert read_evidence(TEXT, found.files[0]).records[1] == WRITTEN[22]


def test_judge_over_an_encoder_looks_at_its_stored_vectors(tmp_path: Path, decoded: list[bytes]) -> None:
    make_dataset(tmp_path, good_rows(5))
    encoders = {"small": ("projection", {"dim": 8})}
    score(tmp_path, ScorePlan(encoders, {"similarity": ("clip_similarity", {"encoder": "small"})}))
    decoded.clear()
    run = score(tmp_path, ScorePlan(encoders, {"count": ("count_from_vectors", {"encoder": "small"})}))
    assert (decoded, SEEN, column(run, "count")) == ([], [4, 1], [1.0] * 5)
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    assert read_evidence(ANSWERS, found.files[1]).records == [[Answer("blobs number 4?", (), (), "(8,)")]]
    shutil.rmtree(tmp_path / "embeddings")
    again = ScorePlan(encoders, {"count": ("count_from_vectors", {"encoder": "small", "threshold": 0.5})})
    assert (score(tmp_path, again).shards_done, decoded, SEEN) == (2, [], [4, 1]), "nor are vectors made for evidence"
    assert not (tmp_path / "embeddings").exists()


def test_data_without_rows_have_evidence_without_rows(tmp_path: Path) -> None:
    make_dataset(tmp_path, [])
    assert score(tmp_path, plan(0.0)).shards_done == 0
    (found,) = open_dataset(tmp_path).column_sets("evidence")
    assert found.shards == ()


def test_judge_needs_a_name_that_a_directory_can_have() -> None:
    for identity in ({}, {"judge": "../up"}, {"judge": 7}):
        judge = own_judges.OwnBoxes(identity=identity)
        with pytest.raises(ConfigError, match=r"a judge has its name in its identity, as 'judge'"):
            look_with(judge, BOXES)
    assert look_with(make_judge("own_boxes", {}), BOXES).name.startswith("own_boxes-")
