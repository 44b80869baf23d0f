"""From matched records to the evidence of each row, for each kind of it, and what an import says of that."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from diptych.errors import DataError
from diptych.evaluate.imports.answered import answers_of, by_question, states_of
from diptych.evaluate.imports.asked_classes import AskedClasses
from diptych.evaluate.imports.box_places import look_at_places
from diptych.evaluate.imports.contract import EvidenceRecord, FileContent
from diptych.evaluate.imports.matched import Matched
from diptych.evaluate.imports.matching import Matcher
from diptych.judges.contract import Box, Rating
from diptych.judges.evidence import ANSWERS, BOXES, RATINGS
from diptych.scores.object_accuracy import UNKNOWN_CLASS

NOT_IMPORTED = "not_imported"  # the reason of an image of which the file says nothing


@dataclass(frozen=True)
class RowEvidence:
    """What is stored, and what is said of it.

    Attributes:
        records: Of each row; None of one about which the file says nothing.
        reasons: Why there are none; None where there are.
        told: Rows of which the file says something.
        facts: What there is, as JSON-able values.
        line: The same in words, after what is counted.
        options: Of the judge that stands for it, beside its name and content.
    """

    records: list[list[Any] | None]
    reasons: list[str | None]
    told: int
    facts: Mapping[str, Any]
    line: tuple[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)


MakeRows: TypeAlias = Callable[[Matcher, Matched, FileContent], RowEvidence]


def answer_rows(matcher: Matcher, matched: Matched, content: FileContent) -> RowEvidence:
    """Return the answers about each row of which the file says something, or which a whole file leaves unanswered."""
    said: dict[int, Any] = {}
    for row, records in matched.records.items():
        checks = matcher.checks[row]
        asked = by_question(records, checks.questions if checks else ())
        matched.repeated += asked.repeated
        for stray in asked.strays:
            matched.leave_out(*stray)
        if asked.said:
            said[row] = asked.said
    models = {matcher.model_of[row] for row in said}
    rows = zip(matcher.model_of, matcher.checks, matcher.states, strict=True)
    every: list[list[Any] | None] = []
    for row, (model, checks, state) in enumerate(rows):
        questions = checks.questions if checks is not None else ()
        is_shown = checks is not None and model in models and state == "ok"
        is_known = row in said or (is_shown and (content.is_whole or not questions))
        every.append(answers_of(said.get(row, {}), questions) if is_known else None)
    states = states_of(every)
    unanswered = {state: count for state, count in sorted(states.items()) if state}
    lacking = ", ".join(f"{count:,} {state}" for state, count in unanswered.items())
    words = f"{states['']:,} answered{f'; without an answer: {lacking}' if lacking else ''}"
    return RowEvidence(
        every,
        [NOT_IMPORTED if some is None else None for some in every],
        len(said),
        {"answered": states[""], "unanswered": unanswered},
        ("questions", words),
    )


def box_rows(matcher: Matcher, matched: Matched, content: FileContent) -> RowEvidence:
    """Return the boxes of each row, the surest first; none of an image whose prompt names what cannot be found.

    Raises:
        DataError: If most boxes lie where no box of their pictures can, or the prompt of every picture names what
            cannot be found.
    """
    places = look_at_places(matcher, matched)
    classes = AskedClasses.of(matcher.checks, content.labels or frozenset())
    records: list[list[Any] | None] = [None] * len(matcher.table)
    reasons: list[str | None] = [NOT_IMPORTED] * len(matcher.table)
    for row, said in matched.records.items():
        boxes = [classes.called(cast("Box", one.said)) for one in said if one.said is not None]
        different = list(dict.fromkeys(boxes))
        matched.repeated += len(boxes) - len(different)
        checks = matcher.checks[row]
        if checks is not None and not checks.labels <= classes.known:
            reasons[row] = UNKNOWN_CLASS
            continue
        records[row], reasons[row] = sorted(different, key=lambda box: -box.score), None
    if matched.records and not any(some is not None for some in records):
        raise DataError(classes.refusal(next(iter(matched.records.values()))[0].place.file))
    found = [box for some in records for box in some or ()]
    least = math.floor(100.0 * min((box.score for box in found), default=0.0)) / 100.0
    unknown, nothing = reasons.count(UNKNOWN_CLASS), sum(some == [] for some in records)
    words = f"{len(found):,}, none less sure than {least:g}; {nothing:,} images without any"
    words += f"; {unknown:,} images ask for what the file cannot name" if unknown else ""
    words += places.words
    facts = {"boxes": len(found), "least_score": least, "images_without": nothing, "unknown_class": unknown}
    facts |= {"over_an_edge": places.over, "of_unknown_size": places.unknown}
    return RowEvidence(
        records, reasons, len(matched.records), facts, ("boxes", words), {"gives": BOXES.name, "least_score": least}
    )


def rating_rows(matcher: Matcher, matched: Matched, content: FileContent) -> RowEvidence:
    """Return the ratings of each row.

    Raises:
        DataError: If a rater rates an image twice in different ways.
    """
    records: list[list[Any] | None] = [None] * len(matcher.table)
    for row, said in matched.records.items():
        kept = _once(said)
        matched.repeated += len(said) - len(kept)
        records[row] = kept
    counts = Counter(len(some) for some in records if some)
    total = sum(number * images for number, images in counts.items())
    raters = ", ".join(
        f"{images:,} {'image has' if images == 1 else 'images have'} {number:,}"
        for number, images in sorted(counts.items())
    )
    low, high = content.scale or (0.0, 1.0)
    facts = {
        "ratings": total,
        "ratings_of_an_image": {str(number): images for number, images in sorted(counts.items())},
    }
    return RowEvidence(
        records,
        [NOT_IMPORTED if some is None else None for some in records],
        len(matched.records),
        facts,
        ("ratings", f"{total:,} from {low:g} to {high:g}; {raters}"),
        {"gives": RATINGS.name, "scale": [int(end) if end.is_integer() else end for end in (low, high)]},
    )


def _once(said: list[EvidenceRecord]) -> list[Rating]:
    """Return one rating of each rater; those without a name are of one rater, but of several in one record."""
    kept: dict[tuple[str, int], EvidenceRecord] = {}
    for record in said:
        rating = cast("Rating", record.said)
        other = kept.setdefault((rating.rater, 0 if rating.rater else record.part), record)
        if (value := cast("Rating", other.said).value) != rating.value:
            is_one_file = other.place.file == record.place.file
            where = f"{other.place.noun} {other.place.number}" if is_one_file else str(other.place)
            how = "of several raters, name them in a column rater"
            how += "" if is_one_file else "; of several models, say whose images each file is about with --model"
            raise DataError(
                f"{record.place}: rates {rating.value:g} what {where} rates {value:g}; keep one of them; {how}"
            )
    return [cast("Rating", record.said) for record in kept.values()]


MAKE_ROWS: Mapping[str, MakeRows] = {ANSWERS.name: answer_rows, BOXES.name: box_rows, RATINGS.name: rating_rows}
