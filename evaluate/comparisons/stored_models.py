"""One of two models that a store has numbers of: its images, and what decides which of them make a pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.data.checks import NOT_ASKED
from diptych.data.column_names import full_name
from diptych.data.generated_columns import BENCHMARK, CATEGORY, columns_of
from diptych.data.row_states import is_stray
from diptych.data.same_prompt import texts_apart
from diptych.data.sql import quoted
from diptych.evaluate.comparisons.compared_images import category_names, needed_columns, value_text
from diptych.evaluate.inputs.asked_rows import SAMPLE
from diptych.evaluate.inputs.category_sets import AskedSet, categories_by_set, kind_of
from diptych.evaluate.protocols import find_protocol
from diptych.evaluate.protocols.contract import Protocol
from diptych.store.agreements import BOTH
from diptych.store.rows import NOISE_FLOOR, SIDE
from diptych.store.store import Store

Columns = dict[str, list[str]]
(SETTING,) = columns_of("setting")


class StoredNumbers(NamedTuple):
    """Images of a store: the text of the columns that decide pairs, and of each what ``Images`` has.

    ``told`` has the text of each prompt whose set the dataset tells of, None of others.
    """

    columns: Columns
    told: list[str | None]
    categories: list[tuple[str, ...]]
    wanted: list[frozenset[str]]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class ComparedModel:
    """One of the two: a run of a store and a label in it; of a ``setting`` alone where one is given."""

    store: Store
    run_id: str
    label: str
    by: str
    setting: str | None = None

    def identities(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return metric -> its identities, for everything that the run has results of about the label."""
        sql = (
            "SELECT DISTINCT metric, groups, identity FROM results JOIN identities USING (identity_id) "
            "WHERE run_id = ? ORDER BY metric, identity"
        )
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.store.query(sql, [self.run_id]):
            if BOTH in row["identity"] or row["groups"].keys() & {SIDE, NOISE_FLOOR}:
                continue  # it is about two judges, pairs of pictures or seeds, and not about a model
            known = found.setdefault(row["metric"], [])
            if value_text(row["groups"].get(self.by, self.label)) == self.label and row["identity"] not in known:
                known.append(row["identity"])
        return {metric: identities for metric, identities in found.items() if identities}

    @property
    def has_several_datasets(self) -> bool:
        """Whether the run has results of several datasets."""
        sql = "SELECT count(DISTINCT dataset) AS n FROM results WHERE run_id = ?"
        return bool(self.store.query(sql, [self.run_id])[0]["n"] > 1)

    def numbers(self, metric: str, identity: Mapping[str, Any]) -> StoredNumbers:
        """Return the label's images for a metric: the text of the columns that decide the pairs, and the numbers.

        Images of datasets that the run scored but did not take the mean of are left out, as they are there, and those
        that nobody asked for or that are of other prompts than the metric's protocol. A set of prompts has the
        categories that any label of the run was asked for.
        """
        names = (*needed_columns(self.by), "dataset")
        read = dict.fromkeys((*names, CATEGORY, "caption", "status", SETTING))
        columns = ", ".join(f"{self.store.image_sql(name)} AS {quoted(name)}" for name in read)
        sql = (
            f"SELECT {columns}, value, reason FROM scores "
            f"JOIN images USING (run_id, dataset, key) WHERE run_id = ? AND score = ? AND images.dataset IN "
            f"(SELECT dataset FROM results WHERE run_id = ? AND metric = ?) ORDER BY images.dataset, key"
        )
        found = self.store.query(sql, [self.run_id, self.column(metric, identity)["score"], self.run_id, metric])
        protocol = protocol_of(identity)
        about = [one.kind == protocol.prompts if protocol else True for one in self._sets(found)]
        asked = [row for row in compress(found, about) if _is_asked(row)]
        sets = self._sets(asked)
        known = categories_by_set(sets, (category_names(row[CATEGORY]) for row in asked))
        own = [self._is_own(row) for row in asked]
        rows = list(compress(asked, own))
        values = np.array([np.nan if row["value"] is None else row["value"] for row in rows], np.float64)
        texts = {name: [value_text(row[name]) for row in rows] for name in names}
        kinds = self._prompt_kinds
        told = [row["caption"] if row[BENCHMARK] in kinds[row["dataset"]] else None for row in rows]
        wanted = [known[each] for each in compress(sets, own)]
        return StoredNumbers(texts, told, [category_names(row[CATEGORY]) for row in rows], wanted, values)

    def _is_own(self, row: Mapping[str, Any]) -> bool:
        is_label = value_text(row[self.by]) == self.label
        return is_label and (self.setting is None or value_text(row[SETTING]) == self.setting)

    def _sets(self, images: Sequence[Mapping[str, Any]]) -> list[AskedSet]:
        """Return the set of prompts that each image is of."""
        kinds = self._prompt_kinds
        found = ((row["dataset"], value_text(row[BENCHMARK])) for row in images)
        return [AskedSet(dataset, label, kind_of(label, kinds[dataset])) for dataset, label in found]

    @property
    def _prompt_kinds(self) -> dict[str, Mapping[str, str]]:
        """What each dataset of the run tells of its prompt sets: their kinds, by label."""
        sql = "SELECT dataset, prompt_sets FROM datasets WHERE run_id = ?"
        return {row["dataset"]: row["prompt_sets"] or {} for row in self.store.query(sql, [self.run_id])}

    def column(self, metric: str, identity: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the store says of the score column that a metric is a mean of: name, unit, range, directions."""
        name = full_name(metric.rpartition(".")[0], identity["column"])
        (row,) = self.store.query("SELECT * FROM score_columns WHERE run_id = ? AND score = ?", [self.run_id, name])
        return row


def protocol_of(identity: Mapping[str, Any]) -> Protocol | None:
    """Return whose number a metric is, by its identity; None where it is none of a protocol."""
    return find_protocol(identity["protocol"]["name"]) if "protocol" in identity else None


def _is_asked(image: Mapping[str, Any]) -> bool:
    return image["reason"] != NOT_ASKED and not is_stray(image["status"], image[SAMPLE])


def prompt_sets(*sides: tuple[ComparedModel, StoredNumbers]) -> list[str]:
    """Return the label of each image's prompt set, with the prompt's text where a run would tell it apart by that."""
    first: dict[tuple[str, ...], str] = {}
    found = []
    for _, side in sides:
        names = zip(*(side.columns[name] for name in columns_of("prompt")), strict=True)
        apart = texts_apart(zip(names, side.told, strict=True), first)
        both = zip(side.columns[BENCHMARK], apart, strict=True)
        found += [label if text is None else repr((label, text)) for label, text in both]
    return found
