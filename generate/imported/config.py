"""What an import can be told: the model behind the YAML of ``diptych generate import``."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from diptych.config.settings import LocalPath, Settings
from diptych.generate.backends.asked import Size, parse_size
from diptych.generate.config import PromptChoice, WrittenSize
from diptych.generate.imported.layouts import AUTO, LAYOUTS, TABLE
from diptych.lookup import describe_unknown


def _as_size(value: Any) -> Any:
    return value if value is None else parse_size(value)


class ImportConfig(Settings):
    """One import: a folder of images that another program made, and the prompts that they were made from."""

    job: Literal["import"] = Field(description="what the file is for")
    name: str = Field("images", description="of the dataset, for its card")
    source: LocalPath = Field(description="the folder, or a table (.csv, .tsv, .jsonl) that names the files beside it")
    layout: str = Field(AUTO, description="how the folder is laid out; auto finds out and says why")
    prompts: PromptChoice | None = Field(None, description="the set that the images were made from; null: not known")
    model: str | None = Field(
        None, description="the column model, where no table says it; null is the folder of a model, or what images say"
    )
    setting: str | None = Field(None, description="the column setting of images of which nothing else says it")
    samples: int | None = Field(None, ge=1, le=100_000, description="of each prompt; null is as many as most have")
    size: Annotated[Size | None, BeforeValidator(_as_size, json_schema_input_type=WrittenSize)] = Field(
        None, description='of the pictures, 512 or "768x512"; null is what more than half of a model have'
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="of a table: key -> name of its column, as in {file: image_path}"
    )
    carry: tuple[str, ...] = Field((), description="further columns of a table, kept as texts")
    rows_per_shard: int = Field(256, ge=1, le=100_000, description="images of one file of the dataset")
    licence: str = Field("", description="of the dataset, for its card")

    @field_validator("layout")
    @classmethod
    def _known(cls, layout: str) -> str:
        known = (AUTO, TABLE, *LAYOUTS)
        if layout not in known:
            raise ValueError(describe_unknown("layout", layout, known))
        return layout
