"""Answers as a report tells them: what is wrong there is what the rule that it shows has counted as wrong."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from imported_evidence import imported_facts, lines_of
from tiny_generated import Made, make_generated

from diptych.data.dataset import open_dataset
from diptych.data.table import DatasetTable
from diptych.reports.read.evidence import find_evidence, find_looks
from diptych.reports.read.evidence_chunks import evidence_files
from diptych.reports.read.rows import RowsPart, join
from diptych.scores.answer_reading import Reading
from diptych.scores.plan import ScorePlan
from diptych.scores.question_rule import read_outcomes
from diptych.scores.run import score_dataset

SAID = ("yes", "Yes", "Yes.", "yes, there is", "no", "**yes**", "TRUE", "1", "perhaps", "It is not; no", "the sky, yes")
QUESTIONS = [{"id": str(number), "question": f"A boat {number}?"} for number in range(len(SAID))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (row,) = rows = [Made("one", 0, caption="a boat", checks={"questions": QUESTIONS}, picture=0)]
    make_generated(tmp_path / "generated", rows)
    text = lines_of(*({"key": row.key, "question_id": str(at), "answer": said} for at, said in enumerate(SAID)))
    facts = imported_facts(tmp_path, "said.jsonl", text)
    (tmp_path / "judges.json").write_text(json.dumps(facts["judges"]))
    return tmp_path


def shown(folder: Path, *readings: Reading) -> tuple[list[list[Any]], list[tuple[list[float | None], list[str]]]]:
    """Return what the report tells of each answer, and what the rules made of them."""
    judge = json.loads((folder / "judges.json").read_text())["pali"]
    scores = {f"by_{one}": ("question_accuracy", {"judge": "pali", "reading": one}) for one in readings}
    plan = ScorePlan({}, scores, judges={"pali": (judge["kind"], judge["options"])})
    sets = score_dataset(folder / "generated", plan, progress="none").sets
    looks = find_looks({f"{label}.question_accuracy": one.manifest["identity"] for label, one in sets.items()})
    columns: dict[str, Any] = {"dataset": ["set"], "key": ["0"], "shard": ["00000.parquet"], "shard_row": [0]}
    columns |= {"checks": [json.dumps({"questions": QUESTIONS})], "width": [48], "height": [32]}
    rows = join([RowsPart(columns)], {"set": folder / "generated"})
    picture = SimpleNamespace(is_blurred=False, thumbnail="")
    report: Any = SimpleNamespace(looks=looks, rows=rows, evidence=find_evidence(rows, looks), pictures=[picture])
    ((_, ((told,),)),) = evidence_files(report)
    table = DatasetTable(open_dataset(folder / "generated"), sets)
    outcomes = [table.column(f"{label}.question_outcomes").to_pylist()[0] for label in sets]
    return told["records"], [read_outcomes(one) for one in outcomes]


@pytest.mark.parametrize("reading", get_args(Reading))
def test_what_a_report_calls_wrong_is_what_the_rule_counts_as_wrong(folder: Path, reading: Reading) -> None:
    records, [(worth, states)] = shown(folder, reading)
    assert [right for *_, right, _ in records] == ["yes" if value == 0.0 else "" for value in worth]
    assert [state for _, _, _, state, _, _ in records] == states
    assert {split for *_, split in records} == {""}


def test_a_rule_to_the_letter_is_shown_the_letters(folder: Path) -> None:
    records, _ = shown(folder, "exact")
    assert [said for _, said, *_ in records] == list(SAID)


def test_where_rules_over_one_judge_differ_each_says_what_it_counts(folder: Path) -> None:
    records, [(meant, _), (exact, _)] = shown(folder, "meant", "exact")
    told = {said: (state, right, split) for _, said, _, state, right, split in records}
    assert (meant[2], exact[2]) == (1.0, 0.0)
    assert told["Yes."] == ("", "", "expected yes by by_exact")
    assert told["yes"] == ("", "", "")
    assert told["no"] == ("", "yes", "")
