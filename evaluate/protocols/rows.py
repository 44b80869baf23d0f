"""The numbers of a protocol over one dataset."""

from collections.abc import Iterator
from dataclasses import replace

from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.scored_rows import ScoredRows
from diptych.evaluate.metrics.means import mean_rows_of_group
from diptych.evaluate.protocols.coverage import coverage_note
from diptych.evaluate.protocols.means import ProtocolMean
from diptych.store.store import ResultRow


def protocol_rows(mean: ProtocolMean, rows: ScoredRows, found: Findings) -> Iterator[ResultRow]:
    """Yield the results of one rule over the groups of a dataset.

    What rests on fewer than all prompts, or on others than upstream's, says so in its note.
    """
    by = mean.asked.by
    if CATEGORY in by and not rows.has(CATEGORY):
        return
    ready = mean.asked.of(rows)
    for group in rows.groups(by):
        about = group.rows[ready.is_asked[group.rows]]
        if not len(about) and CATEGORY in by:
            continue  # of another set of prompts
        note = coverage_note(mean.protocol, rows, about)
        for row in mean_rows_of_group(rows, ready, group, found):
            told = [part for part in (row.note, "" if CATEGORY in row.groups else note) if part]
            yield replace(row, note="; ".join(told) or None)
