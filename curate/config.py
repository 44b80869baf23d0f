"""What a curation run can be told: the models behind the YAML. Defaults live here and nowhere else."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from diptych.config.places import ProblemAt
from diptych.config.schema_words import any_said, in_any_case, said
from diptych.config.settings import Place, Settings
from diptych.curate.named_columns import problems_of
from diptych.data.pixel_limit import MAX_PIXELS, MOST_PIXELS
from diptych.lookup import describe_unknown
from diptych.scores import DECODED
from diptych.scores.choices import ScoringSettings

ColumnType = Annotated[str, Field(pattern=r"^(bool|int64|uint64|float64|string)(\[\]){0,3}$")]
PIXELS = "of one picture, as its header says; one with more is a row with the reason too_many_pixels"
LISTS = "of a list of captions: the first that is not empty, or all of them, joined by spaces"
CAPTION_KEY = "caption"
CAPTION_MEMBER = (
    "key of the caption in the .json member where no .txt is; caption takes text and prompt, too; another also names a "
    ".txt, or a member, that goes before others; None reads no captions"
)
TYPES = "of carried columns; without one, the narrowest that all values fit"


BUILT_IN_RULES = ("readable", "heic", "duplicate")


class AnySource(Settings):
    """What all sources have in common."""

    caption_list: Literal["first", "joined"] = Field("first", description=LISTS)
    max_pixels: int = Field(MAX_PIXELS, ge=1, le=MOST_PIXELS, description=PIXELS)


class Carrying(AnySource):
    """What sources have in common whose columns have no types of their own."""

    columns: tuple[str, ...] = Field((), description="further columns, or keys of JSON, to carry along")
    types: dict[str, ColumnType] = Field(default_factory=dict, description=TYPES)

    @model_validator(mode="after")
    def _types_are_of_columns(self) -> "Carrying":
        for name in self.types:
            if name not in self.columns:
                raise ProblemAt(("types", name), describe_unknown("column", name, self.columns))
        return self


def column_sought(name: str | None) -> str | None:
    """Return where captions are looked for in a table, and how to say that there are none."""
    return f"the column {name!r}; caption_column: null if there are none" if name else None


class UrlTable(Carrying):
    """A table of URLs and captions: parquet, csv, tsv, json, jsonl or txt, also packed; a file, a folder or a glob."""

    kind: Literal["url_table"] = Field(description="a table of URLs and captions")
    path: Place = Field(description="a file, a folder of files, or a glob")
    url_column: str = Field("url", description="the column of the URLs")
    caption_column: str | None = Field("caption", description="the column of the captions; null where there are none")
    column_names: tuple[str, ...] | None = Field(None, description="names of a csv or tsv without a header line")
    quote: bool = Field(True, description='whether csv and tsv fields may be quoted with "')

    @property
    def captions_sought(self) -> str | None:
        """Where captions are looked for, and how to say that there are none; None where that is said."""
        return column_sought(self.caption_column)


class Folder(Carrying):
    """Image files below a folder; captions from sidecars, files about many pictures, or file names."""

    kind: Literal["folder"] = Field(description="image files below a folder")
    path: Place = Field(description="the folder")
    captions: Literal["sidecar", "file_name", "none"] = Field("sidecar", description="where captions are looked for")
    caption_key: str | None = Field(
        None, description="key of the caption in JSON and tables; None takes caption, text or prompt"
    )

    @property
    def captions_sought(self) -> str | None:
        """As of ``UrlTable``."""
        told = "sidecars, metadata.jsonl, .csv, .tsv or .parquet, labels.json, annotations/*.json and samples.json"
        places = {"sidecar": told, "file_name": "file names"}
        return f"{places[self.captions]}; captions: none if there are none" if self.captions in places else None

    @model_validator(mode="after")
    def _columns_have_types(self) -> "Folder":
        for name in self.columns:
            if name not in self.types:
                said = f"declare the type of {name!r} in types; the files of a folder are not searched for it"
                raise ProblemAt(("columns",), said)
        return self


class ParquetImages(AnySource):
    """Parquet files that hold pictures: bytes, the struct of Hugging Face datasets, lists of one, or base64."""

    kind: Literal["parquet"] = Field(description="Parquet files that hold pictures")
    path: Place = Field(description="a file, a folder of files, or a glob")
    image_column: str = Field("image", description="the column of the pictures")
    caption_column: str | None = Field("caption", description="the column of the captions; null where there are none")
    url_column: str | None = Field(None, description="None takes the column url where there is one")
    columns: tuple[str, ...] = Field((), description="further columns to carry; key is, where there is one")

    @property
    def captions_sought(self) -> str | None:
        """As of ``UrlTable``."""
        return column_sought(self.caption_column)


class WebDataset(Carrying):
    """WebDataset tars: members that share a base name are one row (image, .txt caption, .json columns)."""

    kind: Literal["webdataset"] = Field(description="tars of pictures and what belongs to them")
    path: Place = Field(description="a tar, a folder of tars, or a glob")
    image_key: str | None = Field(
        None, description="of the member with the picture: input.jpg, or input; None finds it"
    )
    caption_key: str | None = Field(CAPTION_KEY, description=CAPTION_MEMBER)

    @property
    def captions_sought(self) -> str | None:
        """As of ``UrlTable``."""
        key = self.caption_key
        told = f".txt, .caption and .text, {key!r} of .json, and metadata.jsonl, .csv, .tsv or .parquet"
        return f"{told}; caption_key: null if there are none" if key else None


Source = Annotated[UrlTable | Folder | ParquetImages | WebDataset, Field(discriminator="kind")]


class Download(Settings):
    """How to fetch. None of it changes a row that arrives, so it is not part of the input's fingerprint."""

    threads: int = Field(64, ge=1, le=1024, description="connections at once, per worker")
    deadline_s: float = Field(30.0, gt=0, description="total time for one URL: redirects, retries and waits included")
    max_bytes: int = Field(50 * 2**20, gt=0, description="of one image")
    retries: int = Field(1, ge=0, le=10, description="of transient failures; a refusal or a 404 is never asked again")
    user_agent: str | None = Field(None, description="None says diptych and its version")
    respect_opt_outs: bool = Field(
        True, description="whether X-Robots-Tag, TDM-Reservation, Content-Signal and Content-Usage are heeded"
    )
    allow_private_addresses: bool = Field(False, description="whether URLs may point into your own network")


class Confirm(Settings):
    """What two pictures that a hash takes for the same must have in common beside it."""

    encoder: str = Field(description="label of an encoder, whose stored vectors are compared")
    cosine: float = Field(gt=0, le=1, description="least cosine of the two image vectors")


class Semantic(Settings):
    """Which pictures have the same content, by the vectors of an encoder."""

    encoder: str = Field(description="label of an encoder, whose stored vectors are compared")
    cosine: float = Field(gt=0, le=1, description="least cosine of a row's image vector to that of the row that stays")
    clusters: int | None = Field(
        None, ge=1, le=65_536, description="rows are compared within; null: 1 up to 20,000 rows, else their square root"
    )
    keep: Literal["preferred", "farthest", "nearest"] = Field(
        "preferred",
        description="which row stays: the first by prefer, or the one farthest from, nearest to the centroid",
    )
    probes: int = Field(1000, ge=0, le=100_000, description="rows compared with all, to know what clusters hide")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="of the clusters and probes")


class Dedup(Settings):
    """Which rows are the same picture, and which of them to prefer."""

    model_config = ConfigDict(json_schema_extra={"if": any_said(("variants", "confirm")), "then": said("perceptual")})

    exact: bool = Field(True, description="equal bytes (sha256)")
    perceptual: str | None = Field(None, description="label.column of a 64-bit hash, e.g. hashes.phash_imagehash")
    variants: tuple[str, ...] = Field(
        (), max_length=8, description="further hash columns: what the picture's hash is if mirrored or cropped"
    )
    radius: int = Field(4, ge=0, le=16, description="Hamming distance up to which two hashes are the same picture")
    confirm: Confirm | None = Field(None, description="a second opinion on what the hashes say; None believes them")
    semantic: Semantic | None = Field(None, description="same content (SemDeDup); null looks for none")
    prefer: str = Field("width * height DESC", description="SQL order; ties go to the earlier row")

    @property
    def compared_by(self) -> dict[str, str]:
        """The labels of the encoders whose vectors are compared, by what for."""
        parts = {"confirm": self.confirm, "semantic": self.semantic}
        return {role: part.encoder for role, part in parts.items() if part is not None}

    @model_validator(mode="after")
    def _fits(self) -> "Dedup":
        if self.perceptual is None and (self.variants or self.confirm):
            place = ("variants",) if self.variants else ("confirm",)
            raise ProblemAt(place, "goes with a perceptual hash; name one under perceptual")
        return self


class Rule(Settings):
    """Keep the rows for which the SQL condition holds; a condition over a missing value does not hold."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="what the funnel and the decisions call it",
        json_schema_extra={"not": {"enum": [*BUILT_IN_RULES]}},
    )
    where: str = Field(description="an SQL condition over the columns of one row; one that is null does not hold")


class Export(Settings):
    """The new dataset directory."""

    rows_per_shard: int = Field(10_000, ge=1, description="at most")
    bytes_per_shard: int = Field(
        500 * 2**20, ge=1, description="of pictures and texts, at most, but for one larger row"
    )
    min_shards: int = Field(8, ge=1, description="into up to so many a small export is cut: work for loader workers")
    columns: tuple[str, ...] | None = Field(
        None, description="score columns to write beside the data, label.column; None writes all"
    )
    heic: bool = Field(False, description="whether to export HEIC, which programs without pillow-heif cannot read")
    licence: str = Field("", description="of the dataset, for its card")


class CurateConfig(ScoringSettings):
    """One curation run."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [{"properties": {"scores": {"propertyNames": {"not": {"pattern": in_any_case([DECODED])}}}}}]
        }
    )

    job: Literal["curate"] = Field(description="what the file is for")
    name: str = Field("dataset", description="of the dataset, for its card")
    source: Source = Field(description="where pictures and captions come from")
    rows_per_shard: int = Field(5_000, ge=1, le=100_000, description="of the pool")
    bytes_per_shard: int = Field(
        500_000_000, ge=1, description="of the pool, of what the source holds; not of what is at URLs"
    )
    download: Download = Field(Download(), description="how pictures at URLs are fetched")
    dedup: Dedup | None = Field(None, description="which rows are one picture; null looks for none")
    select: tuple[Rule, ...] = Field((), description="rules, all of which a row that is kept obeys")
    export: Export = Field(Export(), description="how the rows that are kept are written")

    @model_validator(mode="after")
    def _labels_fit(self) -> "CurateConfig":
        for label in self.scores:
            if label.casefold() == DECODED:
                raise ProblemAt(("scores", label), "the label is that of the built-in score; give this one another")
        for role, encoder in self.dedup.compared_by.items() if self.dedup else ():
            if encoder not in self.encoders:
                raise ProblemAt(("dedup", role, "encoder"), describe_unknown("encoder", encoder, self.encoders))
        names = [rule.name for rule in self.select]
        for number, name in enumerate(names):
            if name in BUILT_IN_RULES:
                raise ProblemAt(("select", number, "name"), f"the name {name!r} is taken by a built-in rule")
            if name in names[:number]:
                raise ProblemAt(("select", number, "name"), f"the name {name!r} is used twice")
        return self

    @model_validator(mode="after")
    def _columns_can_be_meant(self) -> "CurateConfig":
        found = [
            InitErrorDetails(
                type=PydanticCustomError("named", "{said}", {"said": one.said}), loc=one.place, input=one.value
            )
            for one in problems_of(self)
        ]
        if found:
            raise ValidationError.from_exception_data("curate", found)
        return self
