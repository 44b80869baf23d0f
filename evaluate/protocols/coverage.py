"""What a protocol's number rests on: how many of its prompts, and whether they are upstream's."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.generated_columns import BENCHMARK, PROMPT_ID, columns_of
from diptych.data.prompt_sets import REWRITTEN, prompt_set_sources
from diptych.evaluate.inputs.asked_rows import is_asked_for
from diptych.evaluate.inputs.category_sets import kind_of
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.protocols.contract import Protocol
from diptych.progress.wording import quantity

(SETTING,) = columns_of("setting")
SHOWN = 4


def prompt_set_columns(protocol: Protocol, rows: ScoredRows) -> tuple[str, ...]:
    """Return the column that tells a protocol's sets of prompts apart; none where a dataset has one alone.

    The prompts of a benchmark and their rewritten ones are two sets: a number over both would be that of neither, and
    one over the rewritten alone says so.
    """
    if not rows.has(BENCHMARK):
        return ()
    own = np.flatnonzero(is_asked_for(rows, protocol.prompts))
    labels = _different(rows, BENCHMARK, own)
    return (BENCHMARK,) if len(labels) > 1 or any(label.endswith(REWRITTEN) for label in labels) else ()


def coverage_note(protocol: Protocol, rows: ScoredRows, of: Index) -> str:
    """Return what a number of some rows rests on less than the protocol wants; empty if on nothing less.

    Args:
        protocol: Whose number it is.
        rows: The dataset.
        of: Numbers of the rows that the protocol is about.
    """
    if none := other_set_note(protocol, rows):
        return none
    told = [*together_notes(rows, of), *foreign_prompts(protocol, rows, of)]
    if rows.has(PROMPT_ID):
        told.append(number_note(protocol, len(pc.unique(rows.values(PROMPT_ID).take(pa.array(of))))))
    return "; ".join(filter(None, told))


def other_set_note(protocol: Protocol, rows: ScoredRows) -> str:
    """Return that none of a dataset's prompts is of the protocol's set; empty where one is."""
    if is_asked_for(rows, protocol.prompts).any():
        return ""
    labels = _different(rows, BENCHMARK, np.arange(len(rows))) if rows.has(BENCHMARK) else []
    shown = f": they are of {', '.join(labels[:SHOWN])}{', ...' if len(labels) > SHOWN else ''}" if labels else ""
    return f"none of the prompts of {rows.label} is of the set {protocol.prompts}{shown}"


def together_notes(rows: ScoredRows, of: Index) -> Iterator[str]:
    """Yield over which sets of prompts and which settings the number of some rows is, where it is over several."""
    for column, nouns in ((BENCHMARK, "sets of prompts"), (SETTING, "settings")):
        several = _different(rows, column, of) if rows.has(column) else []
        if len(several) > 1:
            shown = ", ".join(several[:SHOWN]) + (", ..." if len(several) > SHOWN else "")
            yield f"over {len(several):,} {nouns} together: {shown}"


def _different(rows: ScoredRows, column: str, of: Index) -> list[str]:
    return sorted(map(str, rows.values(column).take(pa.array(of)).unique().to_pylist()))


def foreign_prompts(protocol: Protocol, rows: ScoredRows, of: Index) -> Iterator[str]:
    """Yield that prompts are not upstream's, or not known to be, of each set of some rows; see ``coverage_note``.

    A dataset whose manifest does not tell where its prompts are from may have upstream's, as folders of GenEval have
    that say their prompts themselves.
    """
    if not rows.has(BENCHMARK):
        return
    labels = _different(rows, BENCHMARK, of)
    sources = prompt_set_sources(rows.dataset.manifest)
    for label in (one for one in labels if kind_of(one, rows.prompt_kinds) == protocol.prompts):
        if label not in sources and protocol.has_source:
            told = f"an import with --prompts {protocol.prompts} tells"
            yield f"not known whether the prompts of {label!r} are upstream's, {told}"
        elif label in sources and not protocol.is_upstream(sources[label]):
            yield f"the prompts of {label!r} are not upstream's"


def number_note(protocol: Protocol, found: int) -> str:
    """Return of how many of the protocol's prompts something is; empty if of all."""
    return "" if found >= protocol.n_prompts else f"{found:,} of {quantity(protocol.n_prompts, 'prompt')}"
