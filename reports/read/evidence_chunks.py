"""What judges saw as the browser reads it: files of a few rows each, since one image may have hundreds of boxes.

What lies in a picture is drawn over it only where the picture is shown as it is; the rest is told in any case.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diptych.data.checks import CHECKS, Question, read_checks
from diptych.judges.contract import Answer, Box, TextLine
from diptych.judges.evidence import ANSWERS, BOXES, RATINGS
from diptych.reports.read.evidence import AS_MEANT, JudgeLook, SeenRecords
from diptych.reports.read.outlines import outline
from diptych.reports.read.report import Report
from diptych.reports.read.texts import cut
from diptych.scores.answer_reading import Reading, is_right, state_of

ROWS_PER_FILE = 25


def evidence_index(report: Report) -> dict[str, Any]:
    """Return who looked, the rules over what they saw, and which files there are."""
    looks = report.looks
    twice = {one.judge for one in looks if sum(other.judge == one.judge for other in looks) > 1}
    return {
        "per_file": ROWS_PER_FILE,
        "files": sorted({row // ROWS_PER_FILE for row in report.evidence}),
        "looks": [_look(look, told_apart=look.judge in twice) for look in looks],
    }


def evidence_files(report: Report) -> Iterator[tuple[int, list[list[dict[str, Any]]]]]:
    """Yield the number of each file and what judges saw in each of its rows."""
    for number in evidence_index(report)["files"]:
        rows = range(number * ROWS_PER_FILE, min((number + 1) * ROWS_PER_FILE, len(report.rows)))
        yield number, [list(_seen(report, row)) for row in rows]


def _look(look: JudgeLook, *, told_apart: bool) -> dict[str, Any]:
    name = look.evidence.replace("-", " ") if told_apart else look.judge
    rules = [{"label": label, "columns": columns} for label, columns in look.rules.items()]
    return {"judge": name.replace("_", " "), "kind": look.kind, "threshold": look.threshold, "rules": rules}


def _seen(report: Report, row: int) -> Iterator[dict[str, Any]]:
    picture = report.pictures[row]
    size = [report.rows.columns[name][row] for name in ("width", "height")]
    for seen in report.evidence.get(row, ()):
        look = report.looks[seen.look]
        if look.kind == ANSWERS.name:
            told = _answers(look, seen, report.rows.columns[CHECKS][row])
        elif look.kind == RATINGS.name:
            told = [[cut(one.rater), one.value, cut(one.note)] for one in seen.records]
        elif picture.is_blurred or not picture.thumbnail:
            continue
        else:
            tell = _box if look.kind == BOXES.name else _line
            told = [tell(record, *size) for record in seen.records]
        yield {"look": seen.look, "size": size, "records": told, "left_out": seen.left_out}


def _answers(look: JudgeLook, seen: SeenRecords, checks: str | None) -> list[list[Any]]:
    """Return what is told of each answer, see ``_answer``."""
    expected: list[Question | None] = [None] * len(seen.records)
    asked = read_checks(checks) if (look.asked or {}).get("questions") == CHECKS else None
    if asked is not None:
        expected[: len(asked.questions)] = asked.questions[: len(expected)]
    return [_answer(answer, question, look.readings) for answer, question in zip(seen.records, expected, strict=True)]


def _answer(answer: Answer, asked: Question | None, readings: Mapping[Reading, Sequence[str]]) -> list[Any]:
    """Return question, answer, its probability, why there is none, what was expected of a wrong one, who differs.

    An answer is none or wrong where each of the rules takes it so; where they differ the last says of each that does
    which it is, in words. Where one reads what was said to the letter, that is the answer.
    """
    probability = round(max(answer.probabilities), 3) if answer.probabilities else None
    said = answer.text if set(readings) == {AS_MEANT} else answer.words or answer.text
    if asked is None:
        return [cut(answer.question), cut(said), probability, answer.state, "", ""]
    states = {reading: state_of(answer, reading) for reading in readings}
    wrong = {reading: is_right(answer, asked.answer, reading) is False for reading in readings}
    is_one = len({(states[reading], wrong[reading]) for reading in readings}) == 1
    state, is_wrong = (next(iter(states.values())), next(iter(wrong.values()))) if is_one else ("", False)
    split = [
        f"{f'no answer ({states[reading]})' if states[reading] else f'expected {asked.answer}'} by {', '.join(labels)}"
        for reading, labels in readings.items()
        if not is_one and (states[reading] or wrong[reading])
    ]
    right = cut(asked.answer) if is_wrong else ""
    return [cut(answer.question), cut(said), probability, state, right, cut("; ".join(split))]


def _box(box: Box, width: int, height: int) -> list[Any]:
    """Return label, score, corners, the likeliest value of each trait, and the outline of a mask."""
    likeliest = (box.likeliest(name) for name in dict.fromkeys(trait.name for trait in box.traits))
    traits = ", ".join(f"{one.value} {one.probability:.2g}" for one in likeliest if one is not None)
    return [*_placed(box.label, box.score, box.corners), cut(traits), outline(box.mask or (), width, height)]


def _line(line: TextLine, width: int, height: int) -> list[Any]:
    """Return text, confidence and corners of what was read."""
    return _placed(line.text, line.confidence, line.corners)


def _placed(label: str, score: float, corners: tuple[float, ...]) -> list[Any]:
    return [cut(label), round(score, 3), *(round(one, 1) for one in corners)]
