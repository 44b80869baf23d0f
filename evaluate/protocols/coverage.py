"""What a protocol's number rests on: how many of its prompts, and whether they are upstream's."""

from collections.abc import Iterator

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
    told = list(foreign_prompts(protocol, rows, of))
    if rows.has(PROMPT_ID):
        told.append(number_note(protocol, len(pc.unique(rows.values(PROMPT_ID).take(pa.array(of))))))
    return "; ".join(filter(None, told))


def foreign_prompts(protocol: Protocol, rows: ScoredRows, of: Index) -> Iterator[str]:
    """Yield that prompts are not upstream's, or not known to be, of each set of some rows; see ``coverage_note``.

    A dataset whose manifest does not tell where its prompts are from may have upstream's, as folders of GenEval have
    that say their prompts themselves.
    """
    if not rows.has(BENCHMARK):
        return
    labels = set(rows.values(BENCHMARK).take(pa.array(of)).unique().to_pylist())
    sources = prompt_set_sources(rows.dataset.manifest)
    own = {str(label) for label in labels if kind_of(str(label), rows.prompt_kinds) == protocol.prompts}
    for label in sorted(own):
        if label not in sources and protocol.has_source:
            told = f"an import with --prompts {protocol.prompts} tells"
            yield f"not known whether the prompts of {label!r} are upstream's, {told}"
        elif label in sources and not protocol.is_upstream(sources[label]):
            yield f"the prompts of {label!r} are not upstream's"


def number_note(protocol: Protocol, found: int) -> str:
    """Return of how many of the protocol's prompts something is; empty if of all."""
    return "" if found >= protocol.n_prompts else f"{found:,} of {quantity(protocol.n_prompts, 'prompt')}"
