"""What a protocol's number rests on: how many of its prompts, and whether they are upstream's."""

import pyarrow as pa
import pyarrow.compute as pc

from diptych.data.generated_columns import BENCHMARK, PROMPT_ID
from diptych.data.prompt_sets import prompt_set_sources
from diptych.evaluate.inputs.category_sets import kind_of
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows
from diptych.evaluate.protocols.contract import Protocol
from diptych.progress.wording import quantity


def coverage_note(protocol: Protocol, rows: ScoredRows, of: Index) -> str:
    """Return what a number of some rows rests on less than the protocol wants; empty if on nothing less.

    Args:
        protocol: Whose number it is.
        rows: The dataset.
        of: Numbers of the rows that the protocol is about.
    """
    at = pa.array(of)
    labels = set(rows.values(BENCHMARK).take(at).unique().to_pylist()) if rows.has(BENCHMARK) else set()
    sources = prompt_set_sources(rows.dataset.manifest)
    own = {label for label in labels if kind_of(str(label), rows.prompt_kinds) == protocol.prompts}
    others = sorted(str(label) for label in own if not protocol.is_upstream(sources.get(str(label), "")))
    told = [f"the prompts of {label!r} are not upstream's" for label in others]
    if rows.has(PROMPT_ID):
        found = len(pc.unique(rows.values(PROMPT_ID).take(at)))
        if found < protocol.n_prompts:
            told.append(f"{found:,} of {quantity(protocol.n_prompts, 'prompt')}")
    return "; ".join(told)
