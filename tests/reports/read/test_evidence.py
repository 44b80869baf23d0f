from dataclasses import replace
from pathlib import Path
from typing import Any

import own_judges
import pytest
from drawn import picture
from own_judges import FOUND, box
from tiny_dataset import Row, make_dataset

from diptych.reports.read.evidence import MAX_MASKS, MAX_RECORDS, find_evidence, find_looks
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


def found_in(shown: ReportRows, *identities: Any) -> dict[int, list[tuple[str, list[str]]]]:
    """Return by row who saw what."""
    looks = find_looks({f"rule{number}.attribute": identity for number, identity in enumerate(identities)})
    seen = find_evidence(shown, looks)
    return {
        row: [(looks[one.look].judge, [box.label for box in one.records]) for one in some] for row, some in seen.items()
    }


def test_boxes_are_found_where_the_rows_lie_the_surest_first(folder: Path) -> None:
    shown = rows(folder, ("00001.parquet", 1), ("00000.parquet", 0), ("00000.parquet", 1), (None, None))
    assert found_in(shown, judge(folder)) == {
        0: [("own_boxes", ["boat", "fish"])],
        1: [("own_boxes", ["boat", "fish"])],
        2: [("own_boxes", [])],
    }, "that nothing was seen is said; where nobody looked nothing is"


def test_boxes_that_no_rule_counts_are_left_out(folder: Path) -> None:
    strict, lax = judge(folder, 0.67), judge(folder, 0.5)
    shown = rows(folder, ("00000.parquet", 0), ("00001.parquet", 1))
    assert found_in(shown, strict) == {0: [("own_boxes", ["boat"])], 1: [("own_boxes", [])]}
    assert found_in(shown, strict, lax) == {row: [("own_boxes", ["boat"])] for row in (0, 1)}


def test_two_judges_are_told_apart(folder: Path) -> None:
    found = found_in(rows(folder, ("00000.parquet", 0)), judge(folder), judge(folder, name="other"))
    assert [judge for judge, _ in found[0]] == ["own_boxes", "other"]


def test_rules_over_one_evidence_stand_side_by_side_under_their_own_names(folder: Path) -> None:
    rule = judge(folder)
    names = ("official.attribute", "official.attribute_class", "corrected.attribute (1a2b3c4d)")
    (look,) = find_looks(dict.fromkeys(names, rule))
    assert {label: [column.title for column in columns] for label, columns in look.rules.items()} == {
        "official": ["Attribute", "Attribute class"],
        "corrected (1a2b3c4d)": ["Attribute"],
    }


def test_no_more_than_the_surest_boxes_are_taken_and_masks_of_fewer(folder: Path) -> None:
    crowd = [box("fish", 0.3 + number / 1000) for number in range(MAX_RECORDS + 60)]
    FOUND[21] = [replace(one, mask=(0, 30 * 21)) for one in crowd]
    looks = find_looks({"rule.attribute": judge(folder, name="crowd")})
    (seen,) = find_evidence(rows(folder, ("00000.parquet", 0)), looks)[0]
    scores = [one.score for one in seen.records]
    assert (len(scores), scores, seen.left_out) == (MAX_RECORDS, sorted(scores, reverse=True), 59)
    assert scores[0] == pytest.approx(0.659)
    assert [one.mask is not None for one in seen.records] == [number < MAX_MASKS for number in range(MAX_RECORDS)]


@pytest.mark.parametrize(
    "identity",
    [{}, {"score": "hashes"}, {"evidence": "boxes"}, {"evidence": "boxes", "judge": "me", "asked": None}],
    ids=str,
)
def test_other_scores_lead_to_no_evidence(identity: dict[str, Any]) -> None:
    assert find_looks({"score": identity}) == []


def test_evidence_that_is_not_there_shows_nothing(folder: Path) -> None:
    gone = {**judge(folder), "asked": {"labels": "another"}}
    assert found_in(rows(folder, ("00000.parquet", 0)), gone) == {}
