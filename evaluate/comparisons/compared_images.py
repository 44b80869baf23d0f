"""The images of some datasets as they are compared: what each says, and what decides which of them make a pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from diptych.data.generated_columns import BENCHMARK, CATEGORY, PROMPT_ID, SEED, columns_of, equal_in_pairs
from diptych.evaluate.inputs.category_sets import AskedSet, categories_by_set, kind_of
from diptych.evaluate.inputs.row_codes import codes, linked
from diptych.evaluate.inputs.scored_rows import Index, ScoredRows

NO_SEED = ("", "none")  # as text: no such column, or null

Texts = npt.NDArray[np.object_]  # not of fixed width: one prompt of a megabyte would make them all that wide


@dataclass(frozen=True)
class Images:
    """The images of some datasets that a metric is about, side by side.

    Attributes:
        side: Text (N,): the value that is compared, such as the model.
        prompt: int64 (N,): a number per prompt; prompts that share a seed are one, as what depends on each other.
        asked: int64 (N,): a number per prompt, whatever seeds it shares.
        unit: int64 (N,): a number per prompt and sample.
        rest: Text (N,): what must be equal beside the unit, such as the setting.
        category: Tuples of texts (N,): the categories of the prompt.
        wanted: Frozensets of texts (N,): all categories of the set that the prompt is of.
        dataset: Text (N,): label.
        values: float64 (N,).
        weights: float64 (N,): how much each counts.
    """

    side: Texts
    prompt: Index
    asked: Index
    unit: Index
    rest: Texts
    category: Texts
    wanted: Texts
    dataset: Texts
    values: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def take(self, rows: npt.NDArray[np.bool_] | Index) -> "Images":
        """Return some of the images, by a mask or by their numbers."""
        return Images(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def sides_of(rows: Sequence[ScoredRows], by: str) -> list[str]:
    """Return the values that can be compared, in order."""
    return sorted({text for each in rows for text in _texts(each, by)})


def can_be_paired(rows: ScoredRows, by: str) -> bool:
    """Return whether the data say of each image of which prompt it is, and what it is compared by."""
    return rows.has(PROMPT_ID) and rows.has(by)


def gather(
    rows: Sequence[ScoredRows], values: npt.NDArray[np.float64], asked: npt.NDArray[np.bool_], by: str
) -> Images:
    """Return the images of some datasets of which a number was asked, ready to be paired by a column."""
    columns = {name: [text for each in rows for text in _texts(each, name)] for name in needed_columns(by)}
    columns[BENCHMARK] = [text for each in rows for text in _prompt_sets(each)]
    columns["dataset"] = [each.label for each in rows for _ in range(len(each))]
    categories = [category_names(value) for each in rows for value in _categories(each)]
    sets = [
        AskedSet(each.label, text, kind_of(text, each.prompt_kinds))
        for each in rows
        for text in _texts(each, BENCHMARK)
    ]
    known = categories_by_set(compress(sets, asked), compress(categories, asked))
    wanted = [known.get(each, frozenset()) for each in sets]
    return images_of(columns, categories, wanted, values, by).take(asked)


def needed_columns(by: str) -> tuple[str, ...]:
    """Return the columns that decide which images make a pair."""
    return (*columns_of("prompt", "sample"), SEED, *equal_in_pairs(by), by)


def images_of(
    columns: Mapping[str, Sequence[str]],
    categories: Sequence[tuple[str, ...]],
    wanted: Sequence[frozenset[str]],
    values: npt.NDArray[np.float64],
    by: str,
) -> Images:
    """Return images from the text of ``needed_columns`` and ``dataset``, and from what ``Images`` has of each."""
    prompt, sample = (
        [pa.array(columns[name], pa.string()) for name in names]
        for names in (columns_of("prompt"), columns_of("sample"))
    )
    seeds = pa.array([None if text in NO_SEED else text for text in columns[SEED]], pa.string())
    rest = zip(*(columns[name] for name in equal_in_pairs(by)), strict=True)
    asked = codes(prompt, len(values))
    return Images(
        as_objects(columns[by]),
        linked(asked, seeds),
        asked,
        codes([*prompt, *sample], len(values)),
        as_objects([" ".join(parts) for parts in rest]),
        as_objects(categories),
        as_objects(wanted),
        as_objects(columns["dataset"]),
        values,
        np.ones(len(values)),
    )


def _texts(rows: ScoredRows, name: str) -> list[str]:
    """Return a column as text; a column that the dataset does not have is empty text, so that rows are equal in it."""
    if not rows.has(name):
        return [""] * len(rows)
    return [value_text(value) for value in rows.values(name).to_pylist()]


def _prompt_sets(rows: ScoredRows) -> list[str]:
    """Return the label of each row's prompt set, with the prompt's text where the name alone would say too little."""
    both = zip(_texts(rows, BENCHMARK), rows.texts_apart, strict=True)
    return [repr((label, *text)) if text else label for label, text in both]


def _categories(rows: ScoredRows) -> list[Any]:
    return rows.values(CATEGORY).to_pylist() if rows.has(CATEGORY) else [""] * len(rows)


def category_names(value: Any) -> tuple[str, ...]:
    """Return the categories that a value of the column names: several, one, or the empty one where there is none.

    >>> category_names(["pair", "colour"]), category_names([]), category_names("pair"), category_names(None)
    (('pair', 'colour'), ('',), ('pair',), ('',))
    """
    if isinstance(value, list):
        return tuple(value) or ("",)
    return (value_text(value) if value is not None else "",)


def value_text(value: Any) -> str:
    """Return a value as it is written in a config and shown in a report.

    >>> value_text(7.0), value_text(-0.0), value_text(None), value_text("")
    ('7', '0', 'none', '')
    """
    if value is None:
        return "none"
    return f"{value:zg}" if isinstance(value, float) else str(value)


def as_objects(values: Sequence[Any]) -> Texts:
    """Return values of any kind as an array (N,), one each."""
    array = np.empty(len(values), object)
    array[:] = values
    return array
