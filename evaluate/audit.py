"""The audit of an attribute: how often it has each of its values, by group, with what chance alone would show.

What is counted is what a classifier perceives, not what somebody is. A share stands beside its interval, the images
that could not be judged, and the band in which it lies in 95 % of samples of this size if the truth is the reference
(or, without one, equal shares). Choosing a reference is a value judgement; none is correct.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from diptych.evaluate.accuracy import clustered_share
from diptych.evaluate.config import Audit, EvaluateConfig
from diptych.evaluate.findings import Findings
from diptych.evaluate.means import CATEGORY
from diptych.evaluate.rows import Group, Rows, ScoredColumn, group_by
from diptych.evaluate.shares import null_share
from diptych.store import AuditRow

ATTRIBUTE_CLASS = "attribute_class"


def add_audit(config: EvaluateConfig, rows: Mapping[str, Rows], found: Findings) -> None:
    """Add the shares that the config asks for, per dataset and group."""
    audit = config.audit
    if audit is None:
        return
    judged = [rows[label] for label in config.judged(audit.datasets)]
    values = _values(audit, judged)
    for each in judged:
        column = each.score(audit.attribute)
        for group in _groups(each, audit):
            found.audits += _of_group(each, column, audit, group, values, found)


def _of_group(
    rows: Rows, column: ScoredColumn, audit: Audit, group: Group, values: Sequence[str], found: Findings
) -> list[AuditRow]:
    texts = column.texts or []
    seen: npt.NDArray[np.object_] = np.array([texts[row] for row in group.rows], np.object_)
    judged = np.array([text is not None for text in seen], bool)
    references = _reference(audit, group)
    identity = found.identify({"metric": "attribute_share", "version": 1, **column.source})
    made = []
    for value in values:
        counts = np.where(judged, (seen == value).astype(np.float64), np.nan)
        share = clustered_share(counts, rows.prompts[group.rows])
        reference = references.get(value)
        band = null_share(share.n, 1.0 / len(values) if reference is None else reference)
        made.append(
            AuditRow(
                found.run_id,
                rows.label,
                group.values,
                value,
                int((seen == value).sum()),
                share.n,
                share.n_unscored,
                share.value,
                share.ci_low,
                share.ci_high,
                reference,
                band.low,
                band.high,
                identity,
                _note(len(values), share.n_clusters, has_reference=reference is not None),
            )
        )
    return made


def _note(count: int, prompts: int, *, has_reference: bool) -> str:
    against = "the reference" if has_reference else f"equal shares of {count} values"
    return (
        f"as the classifier perceives it, not corrected for its errors; interval of Wilson, {prompts:,} prompts; "
        f"null band of {against}"
    )


def _values(audit: Audit, judged: Sequence[Rows]) -> list[str]:
    """Return the values to count: those named, or those seen anywhere and those of the reference."""
    if audit.values is not None:
        return list(audit.values)
    seen = {text for rows in judged for text in rows.score(audit.attribute).texts or () if text is not None}
    shares = [value for value in audit.reference.values() if isinstance(value, Mapping)]
    named = {name for part in shares for name in part} if shares else set(audit.reference)
    return sorted(seen | named)


def _reference(audit: Audit, group: Group) -> Mapping[str, float]:
    """Return the reference shares by value for a group; empty where there are none."""
    last = group.values[audit.by[-1]] if audit.by else None
    part = audit.reference.get(str(last))
    if isinstance(part, Mapping):
        return part
    return {name: share for name, share in audit.reference.items() if isinstance(share, float)}


def _groups(rows: Rows, audit: Audit) -> list[Group]:
    """Return the groups. An image that could not be judged belongs to the class that its prompt asks for."""
    columns = {name: rows.values(name) for name in audit.by}
    index = np.arange(len(rows), dtype=np.int64)
    if audit.category is not None:
        index = index[pc.equal(rows.values(CATEGORY), audit.category).fill_null(False).to_numpy(zero_copy_only=False)]
    classes = [name for name in audit.by if name.rpartition(".")[2] == ATTRIBUTE_CLASS]
    for name in classes:
        asked = asked_classes(rows)
        known = {*columns[name].drop_null().to_pylist(), *audit.reference}
        columns[name] = pc.coalesce(columns[name], asked)
        if audit.category is None:  # prompts that ask for something else, such as a fish, are not in question
            in_question = [value is None or value in known for value in columns[name].to_pylist()]
            index = index[np.array(in_question, bool)[index]]
    return group_by(columns, index)


def asked_classes(rows: Rows) -> pa.Array:
    """Return for each row the class of the first object that its prompt asks for; null where nobody knows."""
    if "expected" not in rows.table.column_names:
        return pa.nulls(len(rows), pa.string())
    texts = rows.values("expected").to_pylist()
    classes = {text: _first_class(text) for text in set(texts)}
    return pa.array([classes[text] for text in texts], pa.string())


def _first_class(text: str | None) -> str | None:
    try:
        return str(json.loads(text or "")["include"][0]["class"])
    except (ValueError, LookupError, TypeError):
        return None
