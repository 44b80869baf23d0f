"""A difference as a sentence: which of two is better, or that these images do not tell."""

from dataclasses import asdict

import numpy as np

from diptych.evaluate.terminal import printable
from diptych.intervals import is_resolved
from diptych.progress.wording import quantity
from diptych.store.difference_words import detectable_text, equivalence_text, p_value_text, won_text
from diptych.store.how_compared import how_compared
from diptych.store.store import DifferenceRow


def sentence(row: DifferenceRow, *, of_dataset: bool = False) -> str:
    """Return a difference as a sentence; its verdict is that of ``is_resolved``, as in a report.

    Args:
        row: The difference.
        of_dataset: Whether to name its dataset, as where there are several.
    """
    a, b, metric = printable(row.a), printable(row.b), printable(row.metric)
    metric += f" of {printable(row.dataset)}" if of_dataset else ""
    how = printable("".join(f", {each}" for each in how_compared(row.groups, row.a, row.b)))
    if row.value is None or not np.isfinite(row.value):
        return f"{metric}: {a} and {b} cannot be compared: {row.reason}"
    how += f"; {printable(row.caution)}" if row.caution else ""
    of = f"{quantity(row.n, 'pair')} of {quantity(row.n_clusters, 'prompt')}"
    if row.ci_low is None or row.ci_high is None or not np.isfinite(row.ci_low):
        return f"{metric}: {a} - {b} = {row.value:+z.5g}, without an interval ({row.reason}; {of}{how})."
    numbers = f"{row.value:+z.5g}, 95 % interval {row.ci_low:+z.5g} to {row.ci_high:+z.5g}, {of}"
    numbers += f", p {p_value_text(row.p_adjusted)}{how}{_beside(row)}"
    if not is_resolved(row.ci_low, row.ci_high, row.p_adjusted):
        return f"{metric}: {a} and {b} cannot be told apart by these images ({numbers})."
    direction = "higher" if row.value > 0 else "lower"
    verdict = "better" if row.better == direction else "worse"
    return f"{metric}: {a} is {direction if row.better is None else verdict} than {b} ({numbers})."


def _beside(row: DifferenceRow) -> str:
    """Return what stands beside a difference: prompts won and lost, its size, what could be found, equivalence."""
    won = won_text(asdict(row))
    told = [won] if won else []
    if not is_resolved(row.ci_low, row.ci_high, row.p_adjusted):
        told.append(detectable_text(row.detectable) or "nothing tells which difference would be found")
    if row.margin is not None:
        told.append(equivalence_text(row.margin, row.p_equivalence))
    return "".join(f"; {each}" for each in told)
