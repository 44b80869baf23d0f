"""The columns of a generated image, beside THE columns of ``data``: who was asked for what, and how.

One table says of each column its type, its part where models and settings are compared, and how a report shows it.
What ``generate`` writes, ``evaluate`` groups and compares, the store keeps and ``reports`` filters follows from it, so
that a new axis (a LoRA, a control image) is one line. Loads where only the base install is, as configs do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

# What a column says of an image where images are compared: what was asked for (``prompt``, and which ``sample`` of it),
# who made it (``model``), how (``setting`` is the label of all axes together, ``axis`` one of them), or ``none`` of it.
Part = Literal["prompt", "sample", "model", "setting", "axis", "none"]
# How a report has it: as a filter that people pick from a list, as one that only links set, or beside an image alone.
Shown = Literal["filter", "link", "detail"]


@dataclass(frozen=True)
class GeneratedColumn:
    """One column and its facts.

    Attributes:
        name: In ``data``, in the store, in ``by`` of a config and in a report.
        dtype: Type on disk; ``strings`` is a list of them, and a row belongs to the group of each.
        part: In a comparison.
        shown: In a report.
        label: What a report calls it; empty for its name in words.
    """

    name: str
    dtype: Literal["string", "strings", "int32", "int64", "float32"]
    part: Part
    shown: Shown
    label: str = ""


BENCHMARK = "benchmark"
SEED = "seed"
PROMPT_ID = "prompt_id"  # within the benchmark
CATEGORY = "category"  # of the prompt: what means are taken by, and audits limited to

# In the order in which they lie on disk. To add an axis: a line here, and who makes images fills it.
GENERATED_COLUMNS: tuple[GeneratedColumn, ...] = (
    GeneratedColumn(BENCHMARK, "string", "prompt", "filter"),  # label of the prompt set
    GeneratedColumn(PROMPT_ID, "string", "prompt", "link"),
    GeneratedColumn(CATEGORY, "strings", "none", "filter"),  # as many as the prompt has
    GeneratedColumn("checks", "string", "none", "detail", "Asked for"),  # JSON, see ``checks``; empty: nobody knows
    GeneratedColumn("input_images", "strings", "none", "detail"),  # role:sha256 of what it is made from beside the text
    GeneratedColumn("model", "string", "model", "filter"),
    GeneratedColumn("setting", "string", "setting", "filter"),
    GeneratedColumn(SEED, "int64", "none", "detail"),  # two rows of one model and setting that have it are one image
    GeneratedColumn("sample", "int32", "sample", "detail"),  # from 0, of one prompt
    GeneratedColumn("sampler", "string", "axis", "filter"),
    GeneratedColumn("steps", "int32", "axis", "filter"),
    GeneratedColumn("guidance", "float32", "axis", "filter"),
    GeneratedColumn("negative_prompt", "string", "axis", "detail"),
)
SIZE = ("width", "height")  # of THE columns; they differ with a setting as its axes do, but nobody compares them
ATTRIBUTE_CLASS = "attribute_class"  # the score column of the class that is seen, beside ``asked_class``


def generated_schema(further: "Sequence[pa.Field]" = ()) -> "pa.Schema":
    """Return the schema of ``data`` of generated images: THE columns, those of the table, further ones of prompts."""
    import pyarrow as pa

    from diptych.data.schema import ARROW_TYPES, data_schema

    return data_schema([*(pa.field(column.name, ARROW_TYPES[column.dtype]) for column in GENERATED_COLUMNS), *further])


def generated_columns() -> dict[str, GeneratedColumn]:
    """Return the columns by name, in order."""
    return {column.name: column for column in GENERATED_COLUMNS}


def columns_of(*parts: Part) -> tuple[str, ...]:
    """Return the names of the columns with one of some parts in a comparison, in order.

    >>> columns_of("prompt", "sample")
    ('benchmark', 'prompt_id', 'sample')
    """
    return tuple(column.name for column in GENERATED_COLUMNS if column.part in parts)


def shown_as(shown: Shown) -> tuple[str, ...]:
    """Return the names of the columns that a report has as filters, as links or as details, in order."""
    return tuple(column.name for column in GENERATED_COLUMNS if column.shown == shown)


def compared_columns() -> tuple[str, ...]:
    """Return the columns whose values can be held against each other: models, settings, and each axis of a setting."""
    return columns_of("model", "setting", "axis")


def equal_in_pairs(by: str) -> tuple[str, ...]:
    """Return the columns beside what was asked for in which two images are equal that are compared by a column.

    Models are compared at equal settings and settings of equal models; an axis where everything else is equal.

    >>> equal_in_pairs("model"), equal_in_pairs("steps")
    (('setting',), ('model', 'sampler', 'guidance', 'negative_prompt', 'width', 'height'))
    """
    axes = columns_of("axis")
    if by in axes:
        return (*columns_of("model"), *(name for name in axes if name != by), *SIZE)
    return tuple(name for name in columns_of("model", "setting") if name != by)
