"""Backends: who makes the images that a plan asks for. They decide nothing about which images those are.

A backend knows models by what a config says of them; a model resolves settings, each axis bound or refused, and says
what decides its pixels; a renderer makes images: of the size asked for, with values in [0, 1], none dependent on its
neighbours in a batch, each from its own seed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from diptych.errors import DataError
from diptych.generate.backends.asked import ImageGroup, ModelChoice, PlannedImage, ResolvedSetting, Setting
from diptych.lookup import import_attribute, resolve

if TYPE_CHECKING:
    from diptych.generate.pictures import Pixels

# To add one: a module with a class that obeys ``Backend``, a line here (alphabetical), a test.
BACKENDS: dict[str, str] = {
    "diffusers": "diptych.generate.backends.diffusers.backend:DiffusersBackend",
}


class ImageRefused(DataError):
    """A model refuses some images; others of the same setting may do."""


class TextReader(Protocol):
    """What a model reads of texts, as hashes: texts of one hash give one image."""

    cut: int  # how many of the prompts it does not read to the end

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about prompts that it reads otherwise than they are written."""
        ...

    def text(self, text: str) -> str:
        """Return the hash of what is read of a prompt."""
        ...

    def negative(self, text: str | None) -> str:
        """Return the hash of what is read of a negative prompt, or of none."""
        ...


class BackendModel(Protocol):
    """A model that was found; no weights are loaded."""

    label: str  # in the config
    takes_images: bool  # whether it can make a picture from input images

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about what is taken otherwise than the config says."""
        ...

    def identity(self, *, with_weights: bool) -> Mapping[str, Any]:
        """Return what decides pixels.

        Args:
            with_weights: Whether to read the weights; else their place stands for them, which is enough to tell
                models of one config apart.
        """
        ...

    def resolve(self, setting: Setting) -> ResolvedSetting:
        """Return the setting as this model takes it.

        Raises:
            ConfigError: If the model cannot do what the setting asks for.
        """
        ...

    def check_batch_size(self, batch_size: int) -> None:
        """Check that images of batches of that size do not depend on their neighbours.

        Raises:
            ConfigError: If they might.
        """
        ...

    def reader(self) -> TextReader:
        """Return what reads texts as this model does."""
        ...


class Renderer(Protocol):
    """Makes images; holds one model at a time, loaded when it is needed."""

    load_s: float  # seconds that it has loaded models for

    @property
    def environment(self) -> Mapping[str, Any]:
        """What can change last bits beside the config: versions and device."""
        ...

    def render(self, group: ImageGroup, images: Sequence[PlannedImage]) -> "list[Pixels | None]":
        """Return at most ``group.batch_size`` images, RGB uint8 (height, width, 3); None where values are no numbers.

        Raises:
            ImageRefused: If the model refuses these images.
            DiptychError: If no image of the group can be made: its model cannot be loaded, memory runs out, a setting
                has no effect.
        """
        ...

    def attempt(self, group: ImageGroup, image: PlannedImage) -> None:
        """Make the first steps of an image, in a batch of the shape that ``render`` makes.

        Raises:
            DiptychError: As ``render`` would.
        """
        ...


class Backend(Protocol):
    """A kind of models and the way to run them."""

    samplers: Collection[str]  # names that a setting may have

    def check(self, choice: ModelChoice) -> None:
        """Check what a config says of a model, as far as that alone tells.

        Raises:
            ValueError: If this backend has no use for something; says what.
        """
        ...

    def find(self, label: str, choice: ModelChoice, *, with_weights: bool) -> BackendModel:
        """Return the model of a config, fetching it where it is not here.

        Args:
            label: Its name in the config.
            choice: What the config says of it.
            with_weights: Whether it has to be there whole, or its small files are enough.

        Raises:
            DiptychError: If there is none, or it cannot be had.
        """
        ...

    def renderer(self, models: Mapping[str, BackendModel], *, device: str, threads: int) -> Renderer:
        """Return a renderer of some models of this backend by label.

        Raises:
            ConfigError: If this machine does not have the device.
        """
        ...


def make_backend(name: str) -> Backend:
    """Return a backend of ``BACKENDS``; loads no weights and no large library.

    Raises:
        ConfigError: If there is none of that name.
    """
    return resolve(BACKENDS, "backend", name)()  # type: ignore[no-any-return]


def sampler_names() -> list[str]:
    """Return every name that some backend knows a sampler by."""
    return sorted({name for target in BACKENDS.values() for name in import_attribute(target).samplers})
