"""What each model makes of all settings and texts; what it cannot do is kept with its reason, and the others go on."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from diptych.errors import ConfigError, DiptychError, MissingExtra
from diptych.generate.backends import BackendModel, make_backend
from diptych.generate.backends.asked import AskedPrompt, ResolvedSetting
from diptych.generate.config import GenerateConfig
from diptych.progress import track
from diptych.progress.wording import quantity

UNSEEN = ("Cc", "Cs")  # control characters and halves of a pair (Unicode)
SHOWN = 60  # characters of a prompt in a message


class Refused(NamedTuple):
    """A model, or a setting of one, of which no image is made."""

    model: str
    setting: str  # its label; empty for all settings of the model
    reason: str

    @property
    def label(self) -> str:
        """What a message calls it."""
        return f"{self.model}, {self.setting}" if self.setting else self.model


class ModelReading(NamedTuple):
    """What a model makes of all settings and texts.

    Attributes:
        identity: What decides its pixels.
        resolved: The settings, as it takes them.
        texts: Hashes of what is read of each prompt.
        negatives: The same of each negative prompt.
        cut: How many prompts are not read to the end.
        notes: Sentences about what is taken or read otherwise than it is written.
    """

    identity: Mapping[str, Any]
    resolved: Sequence[ResolvedSetting]
    texts: Sequence[str]
    negatives: Mapping[str | None, str]
    cut: int
    notes: Sequence[str]


class ReadModels(NamedTuple):
    """The models of a config that something can be made of, what they make of it, and what is refused."""

    models: Mapping[str, BackendModel]
    reads: Mapping[str, ModelReading]
    refused: Sequence[Refused]


def read_models(
    config: GenerateConfig, asked: Sequence[AskedPrompt], *, with_weights: bool, progress: str
) -> ReadModels:
    """Return what the models of a config make of prompts and settings.

    Args:
        config: The config.
        asked: The prompts.
        with_weights: Whether models have to be there whole, and are hashed.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: If none can do anything: what is wrong with the first.
    """
    models: dict[str, BackendModel] = {}
    reads: dict[str, ModelReading] = {}
    refused: list[tuple[Refused, DiptychError]] = []
    with track("read the models", len(config.models), mode=progress, unit="models") as tracker:
        for label, choice in config.models.items():
            try:
                model = make_backend(choice.backend).find(label, choice, with_weights=with_weights)
                read, without = _read(config, model, asked, with_weights=with_weights)
            except MissingExtra:
                raise
            except DiptychError as error:
                refused.append((Refused(label, "", str(error)), error))
            else:
                refused += without
                if read.resolved or not without:
                    models[label], reads[label] = model, read
            tracker.advance()
    if refused and not any(read.resolved for read in reads.values()):
        raise refused[0][1]
    return ReadModels(models, reads, [one for one, _ in refused])


def text_notes(config: GenerateConfig, asked: Sequence[AskedPrompt]) -> list[str]:
    """Return sentences about prompts with characters that no one sees, but tokenizers read."""
    said = []
    if held := [one for one in asked if _has_unseen(one.text)]:
        first = held[0].requests[0]
        said.append(
            f"{quantity(len(held), 'prompt')} with control characters, the first the prompt {first.prompt.id!r} of "
            f"{first.prompt_set}: {held[0].text[:SHOWN]!r}"
        )
    negatives = [one.negative for one in asked] + [text for choice in config.settings for text in choice.negative]
    if unseen := list(dict.fromkeys(text for text in negatives if text is not None and _has_unseen(text))):
        many = quantity(len(unseen), "negative prompt")
        said.append(f"{many} with control characters, the first {unseen[0][:SHOWN]!r}")
    return said


def _has_unseen(text: str) -> bool:
    return any(unicodedata.category(letter) in UNSEEN for letter in text)


def batch_size_of(config: GenerateConfig, label: str) -> int:
    """Return how many images of a model are made at once."""
    return config.models[label].batch_size or config.batch_size


def _read(
    config: GenerateConfig, model: BackendModel, asked: Sequence[AskedPrompt], *, with_weights: bool
) -> tuple[ModelReading, list[tuple[Refused, DiptychError]]]:
    identity = model.identity(with_weights=with_weights)
    resolved, refused = _resolve(config, model, asked)
    reader = model.reader()
    texts = [reader.text(one.text) for one in asked]
    wanted = {one.negative_of(row.negative) for one in resolved if one.takes_negative for row in asked}
    negatives = {text: reader.negative(text) for text in wanted}
    return ModelReading(identity, resolved, texts, negatives, reader.cut, [*model.notes, *reader.notes]), refused


def _resolve(
    config: GenerateConfig, model: BackendModel, asked: Sequence[AskedPrompt]
) -> tuple[list[ResolvedSetting], list[tuple[Refused, DiptychError]]]:
    """Return the settings as a model takes them, and those that it cannot do."""
    model.check_batch_size(batch_size_of(config, model.label))
    resolved: list[ResolvedSetting] = []
    refused: list[tuple[Refused, DiptychError]] = []
    for setting in config.settings_of(model.label):
        try:
            resolved.append(model.resolve(setting))
        except ConfigError as error:
            refused.append((Refused(model.label, setting.label, str(error)), error))
    seen = next((row for row in asked if row.images), None)
    if seen is not None and not model.takes_images:
        raise ConfigError(
            f"models.{model.label}: it takes no input images, which prompts of {_names(seen)} have; leave one of the "
            f"two out"
        )
    own = next((row for row in asked if row.negative is not None), None)
    given = next((one.setting for one in resolved if one.setting.negative is not None), None)
    if own is not None and given is not None:
        raise ConfigError(
            f"settings ({given.label}): a negative prompt, though prompts of {_names(own)} bring their own; "
            f"leave one of the two out"
        )
    if own is not None and resolved and all(one.negative == "never" for one in resolved):
        raise ConfigError(
            f"models.{model.label}: prompts of {_names(own)} have negative prompts, which it does not read"
        )
    return resolved, refused


def _names(asked: AskedPrompt) -> str:
    return " and ".join(request.prompt_set for request in asked.requests)
