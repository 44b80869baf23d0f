"""What a generation run can be told: the models behind the YAML. Defaults live here and nowhere else."""

import itertools
import re
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BeforeValidator, Field, field_validator, model_validator

from diptych.config.settings import LocalPath, Settings
from diptych.generate.backends.diffusers.samplers import SAMPLERS
from diptych.generate.prompts import PROMPT_SETS
from diptych.lookup import describe_unknown

Value = TypeVar("Value")

LABEL = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,60}$"
MAX_SIDE = 16_384
SLUG_LETTERS = 20

# What the program passes to a pipeline by itself; an option of a model must be something else.
_TEXTS = ("prompt", "prompt_2", "prompt_3", "prompt_embeds", "pooled_prompt_embeds")
OWN_ARGUMENTS = frozenset(
    {
        *_TEXTS,
        *(f"negative_{name}" for name in _TEXTS),
        "callback_on_step_end",
        "callback_on_step_end_tensor_inputs",
        "generator",
        "guidance_scale",
        "height",
        "latents",
        "num_images_per_prompt",
        "num_inference_steps",
        "output_type",
        "return_dict",
        "sigmas",
        "timesteps",
        "width",
    }
)


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def parse_size(value: Any) -> Any:
    """Return the size that ``512``, ``"768x512"`` (width x height) or a pair stands for.

    >>> parse_size("768x512"), parse_size(64)
    (Size(width=768, height=512), Size(width=64, height=64))

    Raises:
        ValueError: If it is none.
    """
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,6})x(\d{1,6})", value.strip())):
        value = (int(found[1]), int(found[2]))
    elif isinstance(value, int) and not isinstance(value, bool):
        value = (value, value)
    elif not (isinstance(value, list | tuple) and len(value) == 2 and all(type(side) is int for side in value)):
        raise ValueError('write a size as 512 or as "768x512" (width x height)')
    if not all(0 < side <= MAX_SIDE for side in value):
        raise ValueError(f"a side has 1 to {MAX_SIDE} pixels")
    return Size(*value)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


def _as_sizes(value: Any) -> Any:
    return tuple(size if size is None else parse_size(size) for size in _as_tuple(value))


Axis = Annotated[tuple[Value, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Sizes = Annotated[tuple[Size | None, ...], BeforeValidator(_as_sizes), Field(min_length=1)]
Steps = Annotated[int, Field(ge=1, le=10_000)]
Guidance = Annotated[float, Field(ge=0, le=1000)]


class PromptChoice(Settings):
    """One set of prompts: its kind, which of its prompts, and the options of its kind."""

    kind: str
    name: str | None = Field(None, pattern=LABEL, description="the column benchmark; None is the kind")
    path: LocalPath | None = Field(None, description="the file; None downloads a known benchmark once, verified")
    categories: tuple[str, ...] | None = Field(None, description="only these; None takes all")
    per_category: int | None = Field(None, ge=1, description="at most so many of each category, from its beginning")
    limit: int | None = Field(None, ge=1, description="at most so many, from the beginning")
    samples: int | None = Field(None, ge=1, le=100_000, description="images of each prompt; None is the run's")
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in PROMPT_SETS:
            raise ValueError(describe_unknown("prompt set", kind, PROMPT_SETS))
        return kind

    @property
    def label(self) -> str:
        """What the column ``benchmark`` says."""
        return self.name or self.kind


class ModelChoice(Settings):
    """One text-to-image pipeline of diffusers: a folder or the id of a model on the hub, and how to load it."""

    path_or_id: str = Field(min_length=1, description="also package:diptych.NAME/FOLDER for a model that is shipped")
    revision: str | None = Field(None, description="of a model on the hub; write a commit, branches move")
    variant: str | None = Field(None, pattern=r"^\w+$", description="of the weight files, e.g. fp16")
    pipeline: str | None = Field(None, description="class of diffusers; None is the one that the folder names")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: int | None = Field(None, ge=1, le=4096, description="None is the run's")
    options: dict[str, Any] = Field(default_factory=dict, description="further arguments of the pipeline's call")

    @field_validator("options")
    @classmethod
    def _not_ours(cls, options: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(OWN_ARGUMENTS & set(options))
        if taken:
            raise ValueError(f"{taken[0]!r} is set by the program; sampler, steps, guidance and so on are settings")
        return options


class Setting(NamedTuple):
    """One way to ask for an image; None is the pipeline's own default. An empty negative prompt is one, None is none.

    ``models`` names the models it is for; None is all.
    """

    sampler: str | None = None
    steps: int | None = None
    guidance: float | None = None
    size: Size | None = None
    negative: str | None = None
    models: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """What the column ``setting`` says: the values that are given.

        >>> Setting("euler", 25, 5.0).label, Setting().label, Setting(size=Size(768, 512), negative="").label
        ('euler-25-g5', 'default', 'default-768x512-n')
        """
        parts = [self.sampler or "default"]
        parts += [str(self.steps)] if self.steps is not None else []
        parts += [f"g{self.guidance}".removesuffix(".0")] if self.guidance is not None else []
        if self.size is not None:
            square = self.size.width == self.size.height
            parts.append(f"{self.size.width}" + ("px" if square else f"x{self.size.height}"))
        if self.negative is not None:
            parts.append(f"n{_slug(self.negative)}")
        return "-".join(parts)


class SettingChoice(Settings):
    """One setting, or a grid of them: wherever a list is given, each of its values with each of the others."""

    sampler: Axis[str | None] = (None,)
    steps: Axis[Steps | None] = (None,)
    guidance: Axis[Guidance | None] = (None,)
    size: Sizes = (None,)
    negative: Axis[str | None] = (None,)
    models: tuple[str, ...] | None = Field(None, description="labels of the models it is for; None is all")

    @field_validator("sampler")
    @classmethod
    def _known(cls, names: tuple[str | None, ...]) -> tuple[str | None, ...]:
        for name in names:
            if name is not None and name not in SAMPLERS:
                raise ValueError(describe_unknown("sampler", name, SAMPLERS))
        return names

    def settings(self) -> list[Setting]:
        """Return the settings, the last axis varying fastest."""
        axes = (self.sampler, self.steps, self.guidance, self.size, self.negative)
        return [Setting(*values, models=self.models) for values in itertools.product(*axes)]


class GenerateConfig(Settings):
    """One generation run: each prompt with each model and each setting, so many times."""

    job: Literal["generate"]
    name: str = "images"
    prompts: tuple[PromptChoice, ...] = Field(min_length=1)
    models: dict[Annotated[str, Field(pattern=LABEL)], ModelChoice] = Field(min_length=1)
    settings: tuple[SettingChoice, ...] = Field((SettingChoice(),), min_length=1)
    samples: int = Field(1, ge=1, le=100_000, description="images of each prompt, model and setting")
    seed: int = Field(0, ge=0, lt=2**63)
    batch_size: int = Field(8, ge=1, le=4096, description="images at once, never fewer: it decides last bits")
    rows_per_shard: int = Field(256, ge=1, le=100_000, description="a worker holds one in memory")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    threads: int = Field(1, ge=1, le=1024, description="of a worker on a CPU: it decides last bits")
    format: Literal["png", "webp"] = Field("png", description="both lossless")
    licence: str = ""

    @model_validator(mode="after")
    def _labels_fit(self) -> "GenerateConfig":
        for number, choice in enumerate(self.settings):
            for label in choice.models or ():
                if label not in self.models:
                    raise ValueError(f"settings.{number}.models: {describe_unknown('model', label, self.models)}")
        names = [choice.label for choice in self.prompts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"prompts: two sets have the name {twice[0]!r}; give one of them another name")
        return self

    def settings_of(self, model: str) -> list[Setting]:
        """Return the settings of a model, in order."""
        every = [setting for choice in self.settings for setting in choice.settings()]
        return [setting for setting in every if setting.models is None or model in setting.models]


def _slug(text: str) -> str:
    """Return a short name of a negative prompt; what is cut or replaced is told apart by a hash."""
    import hashlib

    slug = re.sub(r"[^a-z0-9]+", ".", text.lower()).strip(".")[:SLUG_LETTERS]
    return slug if slug == text else f"{slug}.{hashlib.sha256(text.encode()).hexdigest()[:6]}" if text else ""
