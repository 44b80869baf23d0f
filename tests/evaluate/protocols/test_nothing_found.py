"""A number of 0 of a judge that found nothing says so, and one of a judge that found something does not."""

from pathlib import Path
from typing import Any

import own_judges
import pytest
from evaluate_configs import make_config, read, run
from imported_evidence import imported_facts, lines_of
from own_judges import FOUND, box
from tiny_generated import Made, make_generated

from diptych.judges.contract import Box
from diptych.scores.geneval_rule import CATEGORIES

METRIC = "geneval_official_eye.object_accuracy"
ONE = {"include": [{"class": "boat", "count": 1}]}
COUNTED = {"include": [{"class": "fish", "count": 2}], "exclude": [{"class": "fish", "count": 3}]}


@pytest.fixture(autouse=True)
def _own_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    own_judges.install(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        Made("sd", number, category=tag, checks=COUNTED if tag == "counting" else ONE, benchmark="geneval")
        for number, tag in enumerate(CATEGORIES * 2)
    ]
    make_generated(tmp_path / "generated", rows, kinds={"geneval": "geneval"})
    return tmp_path


def cautions(folder: Path, judges: dict[str, Any], metric: str = METRIC) -> dict[str, str]:
    label = metric.removeprefix("geneval_official_").partition(".")[0]
    run(make_config(folder, judges=judges, protocols=[{"protocol": "geneval", "judge": label}]))
    sql = f"SELECT value, groups, caution FROM results WHERE metric = '{metric}'"
    found = read(folder, sql)
    assert all(row["value"] == 0.0 for row in found)
    return {str(row["groups"]): row["caution"] or "" for row in found}


def by_boxes(folder: Path, *found: Box) -> dict[str, str]:
    if found:
        FOUND.update({height: list(found) for height in range(200)})
    return cautions(folder, {"eye": {"kind": "own_boxes"}})


def test_a_judge_that_finds_nothing_at_all_is_told_beside_every_number(folder: Path) -> None:
    told = by_boxes(folder)
    assert len(told) > 1
    for groups, caution in told.items():
        images = 2 if "category" in groups else 12
        assert f"the judge found nothing of any class in any of {images} images; see whether it works" in caution


def test_a_judge_that_is_never_sure_enough_is_told_with_the_line(folder: Path) -> None:
    told = by_boxes(folder, box("house", 0.25), box("fish", 0.1))
    lines = {"counting": "0.9", "category": "0.3", "": "0.3 or 0.9"}
    for groups, caution in told.items():
        line = next(line for name, line in lines.items() if name in groups)
        assert f"images is surer than {line}, the surest 0.25; see whether it works" in caution


def test_the_line_is_that_of_what_a_prompt_counts(folder: Path) -> None:
    told = by_boxes(folder, box("house", 0.8))  # above the line of those that count nothing alone
    assert {
        ("counting" in groups, "surer than 0.9, the surest 0.8" in caution) for groups, caution in told.items()
    } == {
        (True, True),
        (False, False),
    }


def test_a_judge_that_found_other_things_is_none_that_found_nothing(folder: Path) -> None:
    told = by_boxes(folder, box("house", 0.95))
    assert not any("see whether" in caution for caution in told.values())


@pytest.mark.parametrize(("reason", "is_told"), [("expected boat>=1, found 0", True), ("", False)])
def test_decisions_that_found_nothing_asked_for_are_told(folder: Path, reason: str, is_told: bool) -> None:
    said = [
        {
            "filename": f"{number:05d}/samples/00000.png",
            "prompt": f"blobs number {number}",
            "correct": False,
            "reason": "expected fish>=2, found 0" if number else reason,
        }
        for number in range(12)
    ]
    facts = imported_facts(folder, "results.jsonl", lines_of(*said), form="geneval", judge="mmdet")
    told = cautions(folder, facts["judges"], "geneval_official_mmdet.object_accuracy")
    words = (
        "each of 12 decisions says of something that was asked for that none was found; see whether the detector works"
    )
    (whole,) = (caution for groups, caution in told.items() if "category" not in groups)
    assert (words.removesuffix("works") in whole) == is_told
