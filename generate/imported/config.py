"""What an import can be told: the model behind the YAML of ``diptych generate import``."""

from typing import Annotated, Literal

from pydantic import Field

from diptych.config.name_in import NameIn
from diptych.config.settings import Place, Settings
from diptych.generate.backends.asked import WrittenSize
from diptych.generate.config import PromptChoice
from diptych.generate.imported.layouts import AUTO, LAYOUTS, TABLE


class ImportConfig(Settings):
    """One import: a folder of images that another program made, and the prompts that they were made from."""

    job: Literal["import"] = Field(description="what the file is for")
    name: str = Field("images", description="of the dataset, for its card")
    source: Place = Field(description="the folder, or a table (.csv, .tsv, .jsonl) that names the files beside it")
    layout: Annotated[str, NameIn("layout", (AUTO, TABLE, *LAYOUTS))] = Field(
        AUTO, description="how the folder is laid out; auto finds out and says why"
    )
    prompts: PromptChoice | None = Field(None, description="the set that the images were made from; null: not known")
    model: str | None = Field(
        None, description="the column model, where no table says it; null is the folder of a model, or what images say"
    )
    setting: str | None = Field(None, description="the column setting of images of which nothing else says it")
    samples: int | None = Field(None, ge=1, le=100_000, description="of each prompt; null is as many as most have")
    size: WrittenSize | None = Field(
        None, description='of the pictures, 512 or "768x512"; null is what more than half of a model have'
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="of a table: key -> name of its column, as in {file: image_path}"
    )
    carry: tuple[str, ...] = Field((), description="further columns of a table, kept as texts")
    rows_per_shard: int = Field(256, ge=1, le=100_000, description="images of one file of the dataset")
    licence: str = Field("", description="of the dataset, for its card")
