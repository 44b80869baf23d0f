from pathlib import Path
from typing import Any

import own_judges
import pytest
from drawn import picture
from own_judges import FOUND, box
from tiny_dataset import Row, make_dataset

from diptych.judges.contract import Box
from diptych.reports.read.boxes import MAX_BOXES, find_boxes
from diptych.reports.read.rows import ReportRows, RowsPart, join
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset of five pictures, 21 to 25 pixels high, in shards of two, that a judge has looked at."""
    own_judges.install(monkeypatch)
    FOUND.update({height: [box("fish", 0.4), box("boat", 0.9 - height / 100)] for height in (21, 23, 24)})
    make_dataset(tmp_path, [Row(picture(number, (30, 21 + number))) for number in range(5)], rows_per_shard=2)
    judge(tmp_path)
    return tmp_path


def judge(folder: Path, threshold: float = 0.3, **options: Any) -> Any:
    """Return the identity of a rule over a judge of such options, which has looked at the dataset."""
    scores = {"look": ("perceived_attribute", {"judge": "eye", "threshold": threshold})}
    plan = ScorePlan({}, scores, judges={"eye": ("own_boxes", options)})
    return score_dataset(folder, plan, progress="none").sets["look"].manifest["identity"]


def rows(folder: Path, *places: tuple[str | None, int | None]) -> ReportRows:
    """Return report rows that lie at these shards and rows of the dataset."""
    columns = {
        "dataset": ["set"] * len(places),
        "key": [str(number) for number in range(len(places))],
        "shard": [shard for shard, _ in places],
        "shard_row": [row for _, row in places],
    }
    return join([RowsPart(columns)], {"set": folder})


def labels(boxes: tuple[Box, ...]) -> list[str]:
    return [one.label for one in boxes]


def test_boxes_are_found_where_the_rows_lie_the_surest_first(folder: Path) -> None:
    shown = rows(folder, ("00001.parquet", 1), ("00000.parquet", 0), ("00000.parquet", 1), (None, None))
    found = find_boxes(shown, [judge(folder)])
    assert {row: [(seen.judge, labels(seen.boxes)) for seen in some] for row, some in found.items()} == {
        0: [("own_boxes", ["boat", "fish"])],
        1: [("own_boxes", ["boat", "fish"])],
    }
    assert found[0][0].boxes[0].score == pytest.approx(0.66)


def test_boxes_that_no_rule_counts_are_left_out(folder: Path) -> None:
    strict, lax = judge(folder, 0.67), judge(folder, 0.5)
    shown = rows(folder, ("00000.parquet", 0), ("00001.parquet", 1))
    assert set(find_boxes(shown, [strict])) == {0}
    found = find_boxes(shown, [strict, lax])
    assert {row: labels(some[0].boxes) for row, some in found.items()} == {0: ["boat"], 1: ["boat"]}


def test_two_judges_are_told_apart(folder: Path) -> None:
    found = find_boxes(rows(folder, ("00000.parquet", 0)), [judge(folder), judge(folder, name="other")])
    assert [seen.judge for seen in found[0]] == ["own_boxes", "other"]


def test_no_more_than_the_surest_boxes_are_taken(folder: Path) -> None:
    FOUND[21] = [box("fish", 0.5 + number / 200) for number in range(60)]
    found = find_boxes(rows(folder, ("00000.parquet", 0)), [judge(folder, name="crowd")])
    scores = [one.score for one in found[0][0].boxes]
    assert (len(scores), scores) == (MAX_BOXES, sorted(scores, reverse=True))
    assert scores[0] == pytest.approx(0.795)


@pytest.mark.parametrize(
    "identity",
    [{}, {"score": "hashes"}, {"evidence": "boxes"}, {"evidence": "boxes", "judge": "me", "asked": None}],
    ids=str,
)
def test_other_scores_lead_to_no_boxes(folder: Path, identity: dict[str, Any]) -> None:
    assert find_boxes(rows(folder, ("00000.parquet", 0)), [identity]) == {}


def test_evidence_that_is_not_there_draws_nothing(folder: Path) -> None:
    gone = {**judge(folder), "asked": {"labels": "another"}}
    assert find_boxes(rows(folder, ("00000.parquet", 0)), [gone]) == {}
