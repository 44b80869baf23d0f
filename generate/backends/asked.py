"""What a backend is asked for: models and settings as a config says them, and the images that prompts make of these."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from diptych.config.settings import Settings
from diptych.generate.prompts import Prompt
from diptych.generate.prompts.input_images import InputImage

MAX_SIDE = 16_384
SIDE = r"(1638[0-4]|163[0-7]\d|16[0-2]\d\d|1[0-5]\d{3}|[1-9]\d{0,3})"  # 1 to MAX_SIDE
SLUG_LETTERS = 20

# Whether a negative prompt takes part: it is read, this guidance leaves it out, or the model reads none.
ReadsNegative = Literal["read", "off", "never"]


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
    if isinstance(value, str) and (found := re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", value)):
        value = (int(found[1]), int(found[2]))
    elif isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        value = (int(value), int(value))  # 512.0 is a whole number, as it is wherever one is asked for
    elif not (isinstance(value, list | tuple) and len(value) == 2 and all(type(side) is int for side in value)):
        raise ValueError('write a size as 512 or as "768x512" (width x height)')
    if not all(0 < side <= MAX_SIDE for side in value):
        raise ValueError(f"a side has 1 to {MAX_SIDE} pixels")
    return Size(*value)


# How sizes are written in a config; what JSON Schema is told is what may stand there.
_Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
_Text = Annotated[str, Field(pattern=f"^{SIDE}x{SIDE}$")]
_Pair = Annotated[list[_Side], Field(min_length=2, max_length=2)]
WrittenSize = Annotated[Size, BeforeValidator(parse_size, json_schema_input_type=_Side | _Text | _Pair)]


class ModelChoice(Settings):
    """One model: who runs it, where it is, and how to load it. A backend refuses what it has no use for."""

    backend: str = Field("diffusers", description="who makes its images")
    path_or_id: str = Field(min_length=1, description="also package:diptych.NAME/FOLDER for a model that is shipped")
    revision: str | None = Field(None, description="of a model on the hub; write a commit, branches move")
    variant: str | None = Field(None, pattern=r"^\w+$", description="of the weight files, e.g. fp16")
    pipeline: str | None = Field(None, description="class of diffusers; None is the one that the folder names")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="of the weights at work")
    batch_size: int | None = Field(None, ge=1, le=4096, description="None is the run's")
    options: dict[str, Any] = Field(default_factory=dict, description="further arguments of the pipeline's call")
    components: dict[str, str | None] = Field(
        default_factory=dict, description="parts by name: a folder or hub id in their place, null to leave one out"
    )


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


@dataclass(frozen=True)
class ResolvedSetting:
    """A setting as one model takes it: its own defaults filled in, and each axis bound, since any other was refused.

    Attributes:
        setting: What was asked for.
        sampler: Its name, or what the model calls its own.
        steps: Of the denoising; None where there are none to choose.
        guidance: Guidance scale as it is passed; None where the model takes none.
        size: Of the image; None where only the model knows its own.
        guides: Whether each step asks the denoiser twice, with and without the prompt.
        counts: Whether the value of guidance changes the image.
        negative: Whether a negative prompt takes part.
        nfe: How often an image asks the denoiser of its last stage, guidance not counted twice.
        nfe_in_all: The same with what guidance and other stages add.
        identity: Hash of what decides pixels, text, seed and model apart.
        recipe: What the backend needs to make images so.
    """

    setting: Setting
    sampler: str
    steps: int | None
    guidance: float | None
    size: Size | None
    guides: bool
    counts: bool
    negative: ReadsNegative
    nfe: int
    nfe_in_all: int
    identity: str
    recipe: Any

    @property
    def takes_negative(self) -> bool:
        """Whether a negative prompt takes part."""
        return self.negative == "read"

    def negative_of(self, prompts_own: str | None) -> str | None:
        """Return the negative prompt that takes part beside a prompt with a negative prompt of its own or without."""
        if not self.takes_negative:
            return None
        return self.setting.negative if self.setting.negative is not None else prompts_own


class Request(NamedTuple):
    """A prompt as one prompt set asks for it."""

    prompt_set: str
    prompt: Prompt
    samples: int


class AskedPrompt(NamedTuple):
    """What is asked for once, by one prompt set or by several that have the prompt in common.

    Attributes:
        ordinal: Which of equal prompts of a set it is, from 0.
        requests: Who asks, in the order of the sets; their prompts are equal in all that a picture follows from.
    """

    ordinal: int
    requests: tuple[Request, ...]

    @property
    def text(self) -> str:
        """What is asked for."""
        return self.requests[0].prompt.text

    @property
    def negative(self) -> str | None:
        """The prompt's own negative prompt."""
        return self.requests[0].prompt.negative

    @property
    def images(self) -> tuple[InputImage, ...]:
        """What a picture is made from beside the text."""
        return self.requests[0].prompt.images

    @property
    def samples(self) -> int:
        """How many images there are of it."""
        return max(request.samples for request in self.requests)

    def requests_of(self, sample: int) -> tuple[Request, ...]:
        """Return who asks for a sample: each has a row of the data of its own."""
        return tuple(request for request in self.requests if request.samples > sample)


class PlannedImage(NamedTuple):
    """One image of the plan."""

    asked: AskedPrompt
    number: int  # of the prompt in the plan
    sample: int
    seed: int


@dataclass(frozen=True)
class ImageGroup:
    """All images of one model and one setting.

    Attributes:
        model: Label of the model.
        resolved: The setting as the model takes it.
        identity: Hash of model and setting, of which each key is made.
        batch_size: Images at once.
    """

    model: str
    resolved: ResolvedSetting
    identity: str
    batch_size: int

    @property
    def label(self) -> str:
        """What a message calls it."""
        return f"{self.model}, {self.resolved.setting.label}"


def _slug(text: str) -> str:
    """Return a short name of a negative prompt; what is cut or replaced is told apart by a hash."""
    import hashlib

    slug = re.sub(r"[^a-z0-9]+", ".", text.lower()).strip(".")[:SLUG_LETTERS]
    return slug if slug == text else f"{slug}.{hashlib.sha256(text.encode()).hexdigest()[:6]}" if text else ""
