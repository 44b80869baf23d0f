"""Scores that a dataset has for some of its shards alone, as after it grew: no columns until they are finished.

So a name that was there yesterday is not called unknown. Decides nothing about how a score is computed.
"""

from collections.abc import Iterator
from typing import NamedTuple

from diptych.data.column_names import full_name
from diptych.data.dataset import Dataset
from diptych.data.labels import LABELS, SCORES, labelled_sets
from diptych.data.manifests import MANIFEST_OF
from diptych.data.noted import whole_manifest

OF_EVERY_SCORE = {"score", "version"}  # keys of an identity; all others follow from options


class UnfinishedScore(NamedTuple):
    """A score that was computed before shards were added.

    Attributes:
        label: By which it was asked for.
        score: Its name.
        columns: Their own names.
        shards: How many have it.
        has_options: Whether more than its name decides its numbers.
    """

    label: str
    score: str
    columns: frozenset[str]
    shards: int
    has_options: bool


def unfinished_scores(dataset: Dataset) -> Iterator[UnfinishedScore]:
    """Yield the scores that lack shards of a dataset, but for those whose label means a finished one by now."""
    finished = set(labelled_sets(dataset))
    for folder in (found for place in dataset.places for found in (place / SCORES).children()):
        manifest = whole_manifest(folder / MANIFEST_OF[SCORES])
        if manifest is None or dataset.column_set(SCORES, folder.name) is not None:
            continue
        facts = manifest.facts
        columns = frozenset(str(column["name"]) for column in facts["columns"])
        has_options = bool(set(facts["identity"]) - OF_EVERY_SCORE)
        for label in set(facts.get(LABELS, ())) - finished:
            yield UnfinishedScore(label, str(facts["score"]), columns, len(manifest.shards), has_options)


def unfinished_score(dataset: Dataset, name: str) -> str:
    """Return that a score which is not finished has a column or label, and what finishes it; empty if none has it.

    Args:
        dataset: That lacks the name.
        name: ``label.column``, or one of the two.
    """
    for found in unfinished_scores(dataset):
        if name in {found.label, *found.columns, *(full_name(found.label, column) for column in found.columns)}:
            asked = found.score if found.label == found.score else f"{found.label}={found.score}"
            options = ", with the options that it has" if found.has_options else ""
            return (
                f"the score {found.label!r} has it for {found.shards:,} of {len(dataset.shards):,} shards; "
                f"finish it: diptych score {dataset.location} {asked}{options}"
            )
    return ""
