"""Rows of generated data: what was asked for and how, beside the picture that came of it.

An image has a row for each prompt set that asks for it: sets say different things of a prompt (its id, categories,
checks), and what is judged and grouped by them is a row. The picture is the same in all of them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from diptych.data.generated_columns import generated_schema
from diptych.data.row_states import ONE_COLOURED
from diptych.data.schema import image_column
from diptych.generate.backends.asked import ImageGroup, PlannedImage, Request
from diptych.generate.carried_columns import CellType
from diptych.generate.pictures import Pixels, encode
from diptych.generate.plan import GenerationPlan, RowId

OK = "ok"
FAILED = "failed"
NOT_FINITE = "not_finite"
STATUSES = (FAILED, NOT_FINITE)  # of rows without a picture
PICTURE_COLUMNS = ("image", "width", "height", "format", "sha256", "status", "error")


class NotMade(NamedTuple):
    """Why an image could not be made."""

    reason: str


Rendered = Pixels | NotMade | None  # None: values that are no numbers


class PlannedRow(NamedTuple):
    """One row: an image of a group, and which of those that ask for it the row is for."""

    group: ImageGroup
    image: PlannedImage
    copy: int

    @property
    def request(self) -> Request:
        """Who asks."""
        return self.image.asked.requests_of(self.image.sample)[self.copy]


class MadePicture(NamedTuple):
    """What came of an image: a file, or why there is none."""

    data: bytes | None
    width: int | None
    height: int | None
    sha256: str | None
    status: str = OK
    error: str | None = None


def planned_row(plan: GenerationPlan, row: RowId) -> PlannedRow:
    """Return what a plan asks for in a row."""
    return PlannedRow(plan.group_of(row.image), plan.image(row.image), row.copy)


def picture_of(rendered: Rendered, form: str) -> MadePicture:
    """Return the file of what was rendered, or why there is none; a picture of one colour says so in ``error``."""
    if rendered is None:
        return MadePicture(None, None, None, None, NOT_FINITE, "the pipeline gave values that are no numbers")
    if isinstance(rendered, NotMade):
        return MadePicture(None, None, None, None, FAILED, rendered.reason)
    data, colour = encode(rendered, form), rendered[0, 0]
    error = f"{ONE_COLOURED}: each pixel is {tuple(colour.tolist())}" if (rendered == colour).all() else None
    return MadePicture(data, rendered.shape[1], rendered.shape[0], hashlib.sha256(data).hexdigest(), OK, error)


def status_of(rendered: Rendered) -> str:
    """Return the status that a row has of what was rendered for it."""
    return NOT_FINITE if rendered is None else FAILED if isinstance(rendered, NotMade) else OK


def schema_of(plan: GenerationPlan) -> pa.Schema:
    """Return the schema of the data of a plan: the columns of every generated image, then those of its prompts."""
    return generated_schema(carried_fields(plan.columns))


def carried_fields(columns: Mapping[str, CellType]) -> list[pa.Field]:
    """Return the fields of the further columns that prompts bring."""
    return [pa.field(name, getattr(pa, {"bool": "bool_"}.get(kind, kind))()) for name, kind in columns.items()]


def asked_columns(plan: GenerationPlan, rows: Sequence[PlannedRow]) -> pa.Table:
    """Return what rows say of what was asked for and how: all columns but those of the picture.

    An axis that these models do not have is null.
    """
    prompts = [row.request.prompt for row in rows]
    settings = [row.group.resolved for row in rows]
    columns: dict[str, list[Any]] = {
        "key": [plan.key(row.group, row.image, row.copy) for row in rows],
        "caption": [prompt.text for prompt in prompts],
        "benchmark": [row.request.prompt_set for row in rows],
        "prompt_id": [prompt.id for prompt in prompts],
        "category": [list(prompt.categories) for prompt in prompts],
        "checks": [prompt.checks.to_json() for prompt in prompts],
        "input_images": [[image.name for image in prompt.images] for prompt in prompts],
        "model": [row.group.model for row in rows],
        "setting": [setting.setting.label for setting in settings],
        "seed": [row.image.seed for row in rows],
        "sample": [row.image.sample for row in rows],
        "sampler": [setting.sampler for setting in settings],
        "steps": [setting.steps for setting in settings],
        "guidance": [setting.guidance for setting in settings],
        "negative_prompt": [
            setting.negative_of(prompt.negative) for setting, prompt in zip(settings, prompts, strict=True)
        ],
        **{name: [_cell(prompt.columns.get(name), kind) for prompt in prompts] for name, kind in plan.columns.items()},
    }
    schema, unknown = schema_of(plan), [None] * len(rows)
    fields = [field for field in schema if field.name not in PICTURE_COLUMNS]
    return pa.table([pa.array(columns.get(field.name, unknown), field.type) for field in fields], pa.schema(fields))


def to_table(plan: GenerationPlan, rows: Sequence[PlannedRow], pictures: Sequence[MadePicture]) -> pa.Table:
    """Return rows and what came of them as a data table."""
    asked, form = asked_columns(plan, rows), plan.config.format
    data = pa.array([picture.data for picture in pictures], pa.binary())
    image = image_column(data, asked["key"].to_pylist(), [form] * len(rows))
    columns: dict[str, list[Any]] = {
        "width": [picture.width for picture in pictures],
        "height": [picture.height for picture in pictures],
        "format": [form if picture.data is not None else None for picture in pictures],
        "sha256": [picture.sha256 for picture in pictures],
        "status": [picture.status for picture in pictures],
        "error": [picture.error for picture in pictures],
    }
    made = {name: pa.array(values, schema_of(plan).field(name).type) for name, values in columns.items()}
    table = {**{name: asked[name] for name in asked.column_names}, **made, "image": image}
    return pa.table([table[name] for name in schema_of(plan).names], schema=schema_of(plan))


def _cell(value: Any, kind: str) -> Any:
    return float(value) if kind == "float64" and value is not None else value
