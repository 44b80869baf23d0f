"""The audit of an attribute: how often it has each of its values, by group, with what chance alone would show.

What is counted is what a classifier perceives, not what somebody is. The groups are those that were asked for: an
image belongs to the class of its prompt, whatever is seen on it. A share stands beside its interval, the images that
could not be judged, and the band in which it lies in 95 % of samples of this size, and of as many prompts, if the truth
is the reference (or, without one, equal shares). Choosing a reference is a value judgement; none is correct.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.checks import CHECKS, asked_class
from diptych.data.generated_columns import ATTRIBUTE_CLASS, CATEGORY
from diptych.errors import ConfigError
from diptych.evaluate.audits.choices import Audit
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.cautions import share_caution
from diptych.evaluate.inputs.memberships import holds
from diptych.evaluate.inputs.scored_rows import Index, RowGroup, ScoredRows, group_by
from diptych.evaluate.statistics.macro_shares import clustered_share, effective_number
from diptych.evaluate.statistics.shares import Band, clustered_null_share, null_share
from diptych.lookup import describe_unknown, nearest
from diptych.store.store import AuditRow

NOTHING_JUDGED = "nothing_judged"
OTHER_CLASS = "other_class"  # why an image is not judged on which another class is seen than the one asked for
UNTOLD = "unknown"  # the same where a score of the user's own gives no reason


@dataclass(frozen=True)
class AskedShare:
    """The images of a dataset that an audit is about.

    Attributes:
        groups: By what was asked for.
        texts: object (N,): the value that is seen on each image of the dataset; None where it could not be judged.
        reasons: object (N,): why it could not be judged; None where it was.
    """

    groups: Sequence[RowGroup]
    texts: npt.NDArray[np.object_]
    reasons: npt.NDArray[np.object_]

    def unjudged(self, rows: Index) -> dict[str, int]:
        """Return how many of some rows could not be judged, by the reason why, the most frequent first."""
        counts = Counter(reason for reason in self.reasons[rows] if reason is not None)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def audit_rows(audit: Audit, judged: Sequence[ScoredRows], found: Findings) -> Iterator[AuditRow]:
    """Yield the shares of each value, per dataset and group.

    Raises:
        ConfigError: If the reference names a class that is nowhere, or a value that is misspelt.
    """
    known = _known_classes(audit, judged)
    asked = [_asked(each, audit, known) for each in judged]
    check_classes(audit, {str(group.values[audit.by[-1]]) for each in asked for group in each.groups if audit.by})
    values = _values(audit, judged)
    for each, images in zip(judged, asked, strict=True):
        column = each.score(audit.attribute)
        identity = found.identify({"metric": "attribute_share", "version": 3, "class": "as asked", **column.source})
        for group in images.groups:
            if values:
                yield from _of_group(each, images, audit, group, values, (found.run_id, identity))
            else:
                yield _of_nothing(each, group, images.unjudged(group.rows), (found.run_id, identity))


def unjudged(rows: Sequence[AuditRow]) -> str:
    """Return in how many groups nothing could be judged, in words; empty where something was in each.

    >>> unjudged([AuditRow("r", "d", {}, None, 0, 0, 9, *[None] * 6, "id", None, "nothing_judged")])
    'the audit could judge no image in 1 of 1 groups'
    """
    states = {(row.dataset, str(row.groups)): row.reason for row in rows}
    empty = sum(reason == NOTHING_JUDGED for reason in states.values())
    return f"the audit could judge no image in {empty:,} of {len(states):,} groups" if empty else ""


def check_classes(audit: Audit, known: Iterable[str]) -> None:
    """Check the classes that have shares of their own.

    Raises:
        ConfigError: If one is not known.
    """
    known = set(known)
    for name, part in audit.reference.items():
        if isinstance(part, Mapping) and name not in known:
            raise ConfigError(f"audit.reference: {describe_unknown(audit.by[-1], name, known)}")


def _of_nothing(rows: ScoredRows, group: RowGroup, why: Mapping[str, int], made_by: tuple[str, str]) -> AuditRow:
    """Return the row of a group where nothing was judged anywhere, and nobody said what to count."""
    run_id, identity = made_by
    note = f"none of {len(group.rows):,} images could be judged, so that no value is known"
    nothing = (0, 0, len(group.rows), None, None, None, None, None, None)
    return AuditRow(run_id, rows.label, group.values, None, *nothing, identity, note, NOTHING_JUDGED, why)


def _of_group(
    rows: ScoredRows, images: AskedShare, audit: Audit, group: RowGroup, values: Sequence[str], made_by: tuple[str, str]
) -> list[AuditRow]:
    seen = images.texts[group.rows]
    judged = np.array([text is not None for text in seen], bool)
    references = _reference(audit, group)
    which = (rows.prompts[group.rows], rows.draws[group.rows])
    units, why = rows.units_text(group.rows[judged]), images.unjudged(group.rows)
    run_id, identity = made_by
    made = []
    for value in values:
        counts = np.where(judged, (seen == value).astype(np.float64), np.nan)
        share, effective = clustered_share(counts, *which), effective_number(counts, *which)
        reference = references.get(value)
        expected, against = _expected(len(values), references, value)
        band = _band(share.n, effective, expected)
        worth = "" if effective == share.n else f", worth {effective:,.0f} images that stand alone"
        note = _note(f"{units}{worth}", why.get(OTHER_CLASS, 0), against)
        ends = (share.value, share.ci_low, share.ci_high)
        counted = (int((seen == value).sum()), share.n, share.n_unscored)
        made.append(
            AuditRow(
                run_id,
                rows.label,
                group.values,
                value,
                *counted,
                *ends,
                reference,
                band.low,
                band.high,
                identity,
                note,
                None if share.n else NOTHING_JUDGED,
                why,
                share_caution(rows, group.rows[judged]) if share.n else None,
            )
        )
    return made


def _expected(count: int, references: Mapping[str, float], value: str) -> tuple[float | None, str]:
    """Return the share that a value is held against: an equal one only where there is no reference at all."""
    if not references:
        return 1.0 / count, f"null band of equal shares of {count} values"
    if value not in references:
        return None, "no null band: the reference has no share of it"
    return references[value], "null band of the reference"


def _band(n: int, effective: float, expected: float | None) -> Band:
    """Return where chance puts the share of n images, at the number of independent ones that the interval has too."""
    if expected is None or not n:
        return null_share(0, 0.0)
    return null_share(n, expected) if effective == n else clustered_null_share(effective, expected)


def _note(prompts: str, misread: int, against: str) -> str:
    images = "image" if misread == 1 else "images"
    unjudged = f"{misread:,} {images} not judged, as another class than the one asked for is seen; " if misread else ""
    return (
        f"as the classifier perceives it, not corrected for its errors; {unjudged}interval of Wilson, "
        f"{prompts}; {against}"
    )


def _values(audit: Audit, judged: Sequence[ScoredRows]) -> list[str]:
    """Return the values to count: those named, or those seen anywhere and those of the reference.

    Raises:
        ConfigError: If one of the reference is not seen, and one that is seen and has no share looks like it.
    """
    if audit.values is not None:
        return list(audit.values)
    seen = {text for rows in judged for text in rows.score(audit.attribute).texts or () if text is not None}
    named = reference_values(audit)
    for name in sorted(named - seen):
        if nearest(name, seen - named):
            raise ConfigError(f"audit.reference: {describe_unknown('value', name, seen)}")
    return sorted(seen | named)


def reference_values(audit: Audit) -> set[str]:
    """Return the values that the reference has shares of."""
    parts = [part for part in audit.reference.values() if isinstance(part, Mapping)]
    return {name for part in (*parts, _of_all(audit)) for name in part}


def _of_all(audit: Audit) -> dict[str, float]:
    return {name: share for name, share in audit.reference.items() if not isinstance(share, Mapping)}


def _reference(audit: Audit, group: RowGroup) -> Mapping[str, float]:
    """Return the reference shares by value for a group; empty where there are none."""
    last = group.values[audit.by[-1]] if audit.by else None
    part = audit.reference.get(str(last))
    if isinstance(part, Mapping):
        return part
    return _of_all(audit)


def _known_classes(audit: Audit, judged: Sequence[ScoredRows]) -> set[str]:
    """Return the classes that are seen anywhere, or that the reference names."""
    names = [name for name in audit.by if name.rpartition(".")[2] == ATTRIBUTE_CLASS]
    seen = {value for rows in judged for name in names for value in rows.values(name).unique().to_pylist()}
    return {*seen, *audit.reference} - {None}


def _asked(rows: ScoredRows, audit: Audit, known: Collection[str]) -> AskedShare:
    """Return the images by the class that their prompt asks for; where nobody knows it, by the one that is seen."""
    columns = {name: rows.values(name) for name in audit.by}
    index = np.arange(len(rows), dtype=np.int64)
    if audit.category is not None:
        index = index[holds(rows.values(CATEGORY), audit.category)]
    column = rows.score(audit.attribute)
    texts = np.array(column.texts or [], np.object_)
    is_misread = np.zeros(len(rows), bool)
    for name in (name for name in audit.by if name.rpartition(".")[2] == ATTRIBUTE_CLASS):
        asked, seen = asked_classes(rows), columns[name]
        is_misread |= pc.not_equal(asked, seen).fill_null(False).to_numpy(zero_copy_only=False)
        columns[name] = pc.coalesce(asked, seen)
        if audit.category is None and known:  # prompts that ask for something else, as a fish, are not in question
            in_question = [value is None or value in known for value in columns[name].to_pylist()]
            index = index[np.array(in_question, bool)[index]]
    is_misread &= np.array([text is not None for text in texts], bool)
    texts[is_misread] = None
    reasons = [None if text else why or UNTOLD for text, why in zip(texts, column.reasons, strict=True)]
    told = np.where(is_misread, OTHER_CLASS, np.array(reasons, np.object_))
    return AskedShare(group_by(columns, index), texts, told)


def asked_classes(rows: ScoredRows) -> pa.Array:
    """Return for each row the class of the first object that its prompt asks for; null where nobody knows."""
    if not rows.has(CHECKS):
        return pa.nulls(len(rows), pa.string())
    texts = rows.values(CHECKS).to_pylist()
    classes = {text: asked_class(text) for text in set(texts)}
    return pa.array([classes[text] for text in texts], pa.string())
