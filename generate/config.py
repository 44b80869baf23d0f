"""What a generation run can be told: the models behind the YAML.

Defaults live here, and those of a model where backends read them (``backends.asked``).
"""

import itertools
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from diptych.config.name_in import NameIn
from diptych.config.option_schema import options_by_kind
from diptych.config.options import check_options
from diptych.config.places import ProblemAt
from diptych.config.settings import NO_OTHER_LABEL, Place, Settings
from diptych.generate.backends import BACKENDS, make_backend, sampler_names
from diptych.generate.backends.asked import ModelChoice, Setting, WrittenSize
from diptych.generate.prompts import PROMPT_SETS
from diptych.lookup import describe_unknown

Value = TypeVar("Value")

LABEL = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,60}$"


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


class OneOrMany:
    """Tells the JSON Schema of a tuple that one value may stand there without a list."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of a value or of the list."""
        many = handler(schema)
        return {"anyOf": [many["items"], {**many, "minItems": 1}]}


def _list_backends(schema: dict[str, Any]) -> None:
    schema["properties"] = {"backend": {"enum": list(BACKENDS)}}


def _check_model(choice: ModelChoice) -> ModelChoice:
    if choice.backend not in BACKENDS:
        raise ProblemAt(("backend",), describe_unknown("backend", choice.backend, BACKENDS))
    make_backend(choice.backend).check(choice)
    return choice


# One value, or a list of them.
Axis = Annotated[tuple[Value, ...], BeforeValidator(_as_tuple), Field(min_length=1), OneOrMany()]
Model = Annotated[ModelChoice, AfterValidator(_check_model), Field(json_schema_extra=_list_backends)]
Steps = Annotated[int, Field(ge=1, le=10_000)]
Guidance = Annotated[float, Field(ge=0, le=1000)]


class PromptChoice(Settings):
    """One set of prompts: its kind, which of its prompts, and the options of its kind."""

    model_config = ConfigDict(json_schema_extra=options_by_kind("kind", (PROMPT_SETS, "prompt set"), "path"))

    kind: Annotated[str, NameIn("prompt set", PROMPT_SETS)] = Field(
        description="a prompt set of diptych, such as geneval or txt"
    )
    name: str | None = Field(None, pattern=LABEL, description="the column benchmark; None is the kind")
    path: Place | None = Field(None, description="the file; None downloads a known benchmark once, verified")
    categories: tuple[str, ...] | None = Field(None, description="only these; None takes all")
    per_category: int | None = Field(None, ge=1, description="at most so many of each category, from its beginning")
    limit: int | None = Field(None, ge=1, description="at most so many, from the beginning")
    samples: int | None = Field(None, ge=1, le=100_000, description="images of each prompt; None is the run's")
    options: dict[str, Any] = Field(default_factory=dict, description="arguments of a set that is made to measure")

    @model_validator(mode="after")
    def _options_fit(self) -> "PromptChoice":
        if "path" in self.options:
            raise ProblemAt(("options", "path"), "stands beside the options, not among them")
        check_options(
            (PROMPT_SETS, "prompt set", self.kind), self.options, path=None if self.path is None else str(self.path)
        )
        return self

    @property
    def label(self) -> str:
        """What the column ``benchmark`` says."""
        return self.name or self.kind


class SettingChoice(Settings):
    """One setting, or a grid of them: wherever a list is given, each of its values with each of the others."""

    sampler: Axis[Annotated[str, NameIn("sampler", sampler_names)] | None] = Field(
        (None,), description="a name of diptych; null is the model's own"
    )
    steps: Axis[Steps | None] = Field((None,), description="of the sampler; null is the pipeline's own number")
    guidance: Axis[Guidance | None] = Field((None,), description="null is the pipeline's own")
    size: Axis[WrittenSize | None] = Field(
        (None,), description='512, or "768x512" (width x height); null is the pipeline\'s own'
    )
    negative: Axis[str | None] = Field((None,), description="a negative prompt; null gives none")
    models: tuple[str, ...] | None = Field(None, description="labels of the models it is for; None is all")

    def settings(self) -> list[Setting]:
        """Return the settings, the last axis varying fastest."""
        axes = (self.sampler, self.steps, self.guidance, self.size, self.negative)
        return [Setting(*values, models=self.models) for values in itertools.product(*axes)]


class GenerateConfig(Settings):
    """One generation run: each prompt with each model and each setting, so many times."""

    job: Literal["generate"] = Field(description="what the file is for")
    name: str = Field("images", description="of the dataset, for its card")
    prompts: tuple[PromptChoice, ...] = Field(min_length=1, description="sets of prompts")
    models: Annotated[dict[Annotated[str, Field(pattern=LABEL)], Model], NO_OTHER_LABEL] = Field(
        min_length=1, description="models by labels of your own"
    )
    settings: tuple[SettingChoice, ...] = Field(
        (SettingChoice(),), min_length=1, description="how images are asked for"
    )
    samples: int = Field(1, ge=1, le=100_000, description="images of each prompt, model and setting")
    seed: int = Field(0, ge=0, lt=2**63, description="of all images: the noise of each follows from it and its place")
    batch_size: int = Field(8, ge=1, le=4096, description="images at once, never fewer: it decides last bits")
    rows_per_shard: int = Field(256, ge=1, le=100_000, description="a worker holds one in memory")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto takes a GPU where one is")
    threads: int = Field(1, ge=1, le=1024, description="of a worker on a CPU: it decides last bits")
    format: Literal["png", "webp"] = Field("png", description="both lossless")
    licence: str = Field("", description="of the dataset, for its card")

    @model_validator(mode="after")
    def _labels_fit(self) -> "GenerateConfig":
        for number, choice in enumerate(self.settings):
            for label in choice.models or ():
                if label not in self.models:
                    raise ProblemAt(("settings", number, "models"), describe_unknown("model", label, self.models))
        names = [choice.label for choice in self.prompts]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ProblemAt(("prompts", number), f"two sets have the name {name!r}; give one of them another name")
        return self

    def settings_of(self, model: str) -> list[Setting]:
        """Return the settings of a model, in order."""
        every = [setting for choice in self.settings for setting in choice.settings()]
        return [setting for setting in every if setting.models is None or model in setting.models]
