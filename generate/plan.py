"""The plan: which images a config asks for, in which order, under which keys, and what they cost.

The order is models, then settings, then prompts, then samples. Nothing here loads weights; their sha256 is part of a
key. Which of the images are there already, and which shard each goes into, is in ``layout``.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from diptych.config.identity import fingerprint
from diptych.errors import ConfigError
from diptych.generate.backends import BackendModel
from diptych.generate.backends.asked import AskedPrompt, ImageGroup, PlannedImage, ResolvedSetting
from diptych.generate.carried_columns import CellType, carried_types
from diptych.generate.chosen_prompts import read_prompts
from diptych.generate.config import GenerateConfig
from diptych.generate.prompts import PromptSet
from diptych.generate.readings import ModelReading, Refused, batch_size_of, read_models, text_notes
from diptych.generate.seeds import seed_of

KEY_VERSION = 2
KEY_BYTES = 16


class RowId(NamedTuple):
    """A row of the plan: the number of its image, and which of those that ask for the image it is for."""

    image: int
    copy: int


class Dropped(NamedTuple):
    """A setting of a model that gives the images of an earlier one."""

    model: str
    setting: str
    same_as: str


@dataclass(frozen=True)
class GenerationPlan:
    """Everything that a run makes.

    Attributes:
        config: What was asked for.
        sets: The prompt sets by name.
        asked: The prompts, in order.
        models: The models by label.
        identities: What decides pixels of each model.
        groups: Models and settings, in order, those that would give equal images left out.
        dropped: Those that were left out.
        refused: Models, and settings of models, of which no image can be made.
        texts: Hash of what each model's text encoders read of each prompt.
        negatives: The same of the negative prompts, by model and text.
        cut: How many prompts each model's encoders cut, where that is known.
        notes: Sentences about what models take or read otherwise than it is written.
        columns: Types of the further columns of the prompts, by name.
    """

    config: GenerateConfig
    sets: Mapping[str, PromptSet]
    asked: tuple[AskedPrompt, ...]
    models: Mapping[str, BackendModel]
    identities: Mapping[str, Any]
    groups: tuple[ImageGroup, ...]
    dropped: tuple[Dropped, ...]
    refused: tuple[Refused, ...]
    texts: Mapping[str, Sequence[str]]
    negatives: Mapping[str, Mapping[str | None, str]]
    cut: Mapping[str, int]
    notes: tuple[str, ...]
    columns: Mapping[str, CellType]

    @cached_property
    def images_per_group(self) -> int:
        """Images of one model and setting."""
        return sum(asked.samples for asked in self.asked)

    @property
    def images(self) -> int:
        """Images in all."""
        return len(self.groups) * self.images_per_group

    @property
    def rows(self) -> int:
        """Rows in all: one for each image and each prompt set that asks for it."""
        return len(self.groups) * sum(request.samples for asked in self.asked for request in asked.requests)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the rows; of paths nothing."""
        groups = [
            [group.model, group.resolved.setting.label, group.identity, group.batch_size] for group in self.groups
        ]
        decisive = {"threads", "format", "seed"}
        return fingerprint(
            {
                "version": KEY_VERSION,
                "config": self.config.model_dump(mode="json", include=decisive),
                "groups": groups,
                "prompts": [
                    [request.prompt_set, request.prompt.identity, request.samples]
                    for asked in self.asked
                    for request in asked.requests
                ],
                "texts": {model: list(texts) for model, texts in self.texts.items()},
            }
        )

    def row_ids(self) -> Iterator[RowId]:
        """Yield all rows in order."""
        copies = [len(asked.requests_of(sample)) for asked in self.asked for sample in range(asked.samples)]
        for number in range(self.images):
            yield from (RowId(number, copy) for copy in range(copies[number % self.images_per_group]))

    def group_of(self, number: int) -> ImageGroup:
        """Return model and setting of an image by its number."""
        return self.groups[number // self.images_per_group]

    def image(self, number: int) -> PlannedImage:
        """Return an image by its number."""
        offset = number % self.images_per_group
        place = bisect_right(self._first_images, offset) - 1
        sample = offset - self._first_images[place]
        return PlannedImage(self.asked[place], place, sample, self._seed(self.asked[place], sample))

    def making(self, group: ImageGroup) -> str:
        """Return what decides the last bits of images of a group beside their keys, as far as the config says it."""
        return f"{self.config.format}, {self.config.threads} threads, batches of {group.batch_size}"

    def key(self, group: ImageGroup, image: PlannedImage, copy: int = 0) -> str:
        """Return the hash, 32 hex digits, of everything that decides the pixels of an image.

        Args:
            group: Model and setting.
            image: The image.
            copy: Of the rows that it has, one for each prompt set that asks for it. The first has the key of the image;
                for the others its number is hashed too, as keys are unique in a dataset.
        """
        negative = group.resolved.negative_of(image.asked.negative)
        read = self.negatives[group.model][negative] if group.resolved.takes_negative else ""
        parts = [str(KEY_VERSION), group.identity, self.texts[group.model][image.number], read, str(image.seed)]
        parts += [one.name for one in image.asked.images] + ([f"copy {copy}"] if copy else [])
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=KEY_BYTES).hexdigest()

    @cached_property
    def _first_images(self) -> list[int]:
        """The number of the first image of each prompt within a group."""
        return [0, *accumulate(asked.samples for asked in self.asked)][:-1]

    def _seed(self, asked: AskedPrompt, sample: int) -> int:
        images = [image.name for image in asked.images]
        return seed_of(
            self.config.seed, asked.text, asked.negative, images=images, ordinal=asked.ordinal, sample=sample
        )


def make_plan(config: GenerateConfig, *, with_weights: bool, progress: str = "auto") -> GenerationPlan:
    """Return what a config asks for.

    Args:
        config: The config.
        with_weights: Whether models have to be there whole and are hashed, as a run needs it; else the keys are not
            those of a run, and only small files are read or fetched.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: If prompts cannot be had, or nothing that is asked for can be made.
    """
    sets, asked = read_prompts(config)
    models, reads, refused = read_models(config, asked, with_weights=with_weights, progress=progress)
    groups, dropped = _different_groups(config, reads, asked)
    if not groups:
        raise ConfigError("settings: no model has a setting; write one without models, or name each model in one")
    return GenerationPlan(
        config=config,
        sets=sets,
        asked=asked,
        models=models,
        refused=tuple(refused),
        identities={label: read.identity for label, read in reads.items()},
        groups=tuple(groups),
        dropped=tuple(dropped),
        texts={label: read.texts for label, read in reads.items()},
        negatives={label: read.negatives for label, read in reads.items()},
        cut={label: read.cut for label, read in reads.items() if read.cut},
        notes=(
            *(note for found in sets.values() for note in found.notes),
            *text_notes(config, asked),
            *(f"{label}: {note}" for label, read in reads.items() for note in read.notes),
        ),
        columns=carried_types(asked),
    )


def _different_groups(
    config: GenerateConfig, reads: Mapping[str, ModelReading], asked: Sequence[AskedPrompt]
) -> tuple[list[ImageGroup], list[Dropped]]:
    """Return models and settings in order, and those left out because they give the images of an earlier one."""
    groups: list[ImageGroup] = []
    dropped: list[Dropped] = []
    seen: dict[str, str] = {}
    for label, read in reads.items():
        for one in read.resolved:
            group = _group(config, label, one, read.identity)
            negatives = [read.negatives[one.negative_of(row.negative)] for row in asked if one.takes_negative]
            same = seen.setdefault(fingerprint([group.identity, read.texts, negatives]), group.label)
            if same == group.label and group.label not in {other.label for other in groups}:
                groups.append(group)
            else:
                dropped.append(Dropped(label, one.setting.label, same))
    return groups, dropped


def _group(config: GenerateConfig, model: str, resolved: ResolvedSetting, identity: Mapping[str, Any]) -> ImageGroup:
    return ImageGroup(model, resolved, fingerprint([identity, resolved.identity]), batch_size_of(config, model))
