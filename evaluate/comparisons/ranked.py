"""The order of several models in lines: ranks with intervals, groups that cannot be told apart, prompts won."""

from collections.abc import Iterator

from diptych.evaluate.terminal import printable, text_table
from diptych.store.rankings import RankedLabel, Ranking, group_letter


def ranking_lines(ranking: Ranking, *, of_dataset: bool = False) -> Iterator[str]:
    """Yield the order of several as a table, and below it who cannot be told apart.

    Args:
        ranking: The order.
        of_dataset: Whether to name its dataset, as where there are several.
    """
    metric = f"{ranking.metric} of {ranking.dataset}" if of_dataset else ranking.metric
    has_prompts = any(each.wins is not None for each in ranking.labels)
    header = (metric, "rank [95 %]", "group", *(("won, tied, lost",) if has_prompts else ()))
    yield from text_table(header, [_cells(each, has_prompts=has_prompts) for each in ranking.labels])[:-1]
    for number, group in enumerate(ranking.groups):
        if len(group) > 1:
            yield printable(f"{group_letter(number)}: {', '.join(group)} cannot be told apart from each other.")
    if ranking.unknown:
        pairs = "; ".join(f"{a} and {b}" for a, b in ranking.unknown)
        yield printable(f"Without an interval, and so not told apart: {pairs}.")
    yield ""


def _cells(each: RankedLabel, *, has_prompts: bool) -> tuple[str, ...]:
    span = f"{each.rank} [{each.best}, {each.worst}]"
    groups = " ".join(map(group_letter, each.groups))
    prompts = "-" if each.wins is None else f"{each.wins:,}, {each.ties:,}, {each.losses:,}"
    return (each.label, span, groups, *((prompts,) if has_prompts else ()))
