"""How far apart the pictures of two models are, as a run computed it: found in a store, and said in a sentence."""

from diptych.evaluate.comparisons.stored_models import ComparedModel
from diptych.evaluate.terminal import printable
from diptych.progress.wording import quantity
from diptych.store.rows import OTHER_SIDE, SIDE
from diptych.store.store import ResultRow


def stored_pair_distances(a: ComparedModel, b: ComparedModel) -> list[ResultRow]:
    """Return how far the pictures of two models are apart over all their pairs, whichever was held against the other.

    None where the two are of two runs: only a run has the vectors.
    """
    if (a.run_id, a.store.path) != (b.run_id, b.store.path):
        return []
    sql = (
        "SELECT results.*, identity FROM results JOIN identities USING (identity_id) "
        "WHERE run_id = ? ORDER BY place, dataset, CAST(groups AS VARCHAR)"
    )
    found = []
    for row in a.store.query(sql, [a.run_id]):
        identity, groups = row.pop("identity"), row["groups"]
        is_whole = set(groups) == {SIDE, OTHER_SIDE}
        if is_whole and identity["by"] == a.by and {*groups.values()} == {a.label, b.label}:
            found.append(ResultRow(**row))
    return found


def pair_sentence(row: ResultRow, a: str, b: str, *, of_dataset: bool = False) -> str:
    """Return it as a sentence.

    Args:
        row: The number.
        a: The one label.
        b: The other one.
        of_dataset: Whether to name its dataset, as where there are several.
    """
    metric = f"{row.metric} of {row.dataset}" if of_dataset else row.metric
    what = printable(f"{metric}: the pictures of {a} and {b}")
    told = [quantity(row.n, "pair"), *([f"{row.n_unscored:,} unscored"] if row.n_unscored else [])]
    if row.value is None:
        return f"{what} cannot be compared: {row.reason}"
    said = "; ".join(printable(text) for text in (", ".join(told), row.note, row.caution) if text)
    ends = "" if row.ci_low is None else f", 95 % interval {row.ci_low:.5g} to {row.ci_high:.5g}"
    return f"{what} are {row.value:.5g} apart{ends} ({said})."
