"""The plan: which images a config asks for, in which order, under which keys, and what they cost.

The order is models, then settings, then prompts, then samples; a shard is a fixed run of it. Nothing here loads
weights; their sha256 is part of a key.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from diptych.config.identity import fingerprint
from diptych.errors import ConfigError
from diptych.generate.backends import BackendModel, make_backend
from diptych.generate.backends.asked import AskedPrompt, ImageGroup, PlannedImage, ResolvedSetting
from diptych.generate.chosen_prompts import read_prompts
from diptych.generate.config import GenerateConfig
from diptych.generate.prompts import PromptSet
from diptych.generate.seeds import seed_of
from diptych.progress import track

KEY_VERSION = 1
KEY_BYTES = 16


class Dropped(NamedTuple):
    """A setting of a model that gives the images of an earlier one."""

    model: str
    setting: str
    same_as: str


class ShardPart(NamedTuple):
    """A run of rows of one group: those of a shard."""

    group: int
    start: int
    stop: int


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
        texts: Hash of what each model's text encoders read of each prompt.
        negatives: The same of the negative prompts, by model and text.
        cut: How many prompts each model's encoders cut, where that is known.
    """

    config: GenerateConfig
    sets: Mapping[str, PromptSet]
    asked: tuple[AskedPrompt, ...]
    models: Mapping[str, BackendModel]
    identities: Mapping[str, Any]
    groups: tuple[ImageGroup, ...]
    dropped: tuple[Dropped, ...]
    texts: Mapping[str, Sequence[str]]
    negatives: Mapping[str, Mapping[str | None, str]]
    cut: Mapping[str, int]

    @property
    def images_per_group(self) -> int:
        """Images of one model and setting."""
        return sum(asked.samples for asked in self.asked)

    @property
    def images(self) -> int:
        """Images in all."""
        return len(self.groups) * self.images_per_group

    @property
    def shards(self) -> int:
        """Shards in all."""
        return -(-self.images // self.config.rows_per_shard)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the shards; of paths nothing."""
        groups = [
            [group.model, group.resolved.setting.label, group.identity, group.batch_size] for group in self.groups
        ]
        decisive = {"rows_per_shard", "threads", "format", "seed"}
        return fingerprint(
            {
                "version": KEY_VERSION,
                "config": self.config.model_dump(mode="json", include=decisive),
                "groups": groups,
                "prompts": [[asked.prompt_set, asked.prompt.identity, asked.samples] for asked in self.asked],
                "texts": {model: list(texts) for model, texts in self.texts.items()},
            }
        )

    def parts(self, shard: int) -> list[ShardPart]:
        """Return the runs of rows that a shard consists of."""
        first, size = shard * self.config.rows_per_shard, self.images_per_group
        last = min(first + self.config.rows_per_shard, self.images)
        return [
            ShardPart(group, max(first - group * size, 0), min(last - group * size, size))
            for group in range(first // size, (last - 1) // size + 1)
        ]

    def rows(self, part: ShardPart) -> Iterator[PlannedImage]:
        """Yield the rows of a part, in order."""
        before = 0
        for number, asked in enumerate(self.asked):
            for sample in range(max(part.start - before, 0), min(part.stop - before, asked.samples)):
                seed = seed_of(self.config.seed, asked.prompt_set, asked.prompt.id, sample)
                yield PlannedImage(asked, number, sample, seed)
            before += asked.samples

    def key(self, group: ImageGroup, row: PlannedImage) -> str:
        """Return the hash, 32 hex digits, of everything that decides the pixels of an image."""
        negative = group.resolved.negative_of(row.asked.prompt.negative)
        read = self.negatives[group.model][negative] if group.resolved.takes_negative else ""
        text = "\n".join([str(KEY_VERSION), group.identity, self.texts[group.model][row.number], read, str(row.seed)])
        return hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).hexdigest()


def make_plan(config: GenerateConfig, *, with_weights: bool, progress: str = "auto") -> GenerationPlan:
    """Return what a config asks for.

    Args:
        config: The config.
        with_weights: Whether models have to be there whole and are hashed, as a run needs it; else the keys are not
            those of a run, and only small files are read or fetched.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        DiptychError: If prompts or models cannot be had, or a model cannot do what a setting asks for.
    """
    sets, asked = read_prompts(config)
    models = {
        label: make_backend(choice.backend).find(label, choice, with_weights=with_weights)
        for label, choice in config.models.items()
    }
    groups: list[ImageGroup] = []
    dropped: list[Dropped] = []
    identities: dict[str, Any] = {}
    texts: dict[str, list[str]] = {}
    negatives: dict[str, dict[str | None, str]] = {}
    cut: dict[str, int] = {}
    seen: dict[str, str] = {}
    with track("read the models", len(models), mode=progress, unit="models") as tracker:
        for label, model in models.items():
            identities[label] = model.identity(with_weights=with_weights)
            resolved = _resolve(config, model, asked)
            reader = model.reader()
            texts[label] = [reader.text(one.prompt.text) for one in asked]
            cut |= {label: reader.cut} if reader.cut else {}
            wanted = {one.negative_of(row.prompt.negative) for one in resolved if one.takes_negative for row in asked}
            negatives[label] = {text: reader.negative(text) for text in wanted}
            for one in resolved:
                group = _group(config, label, one, identities[label])
                reads = [negatives[label][one.negative_of(row.prompt.negative)] for row in asked if one.takes_negative]
                same = seen.setdefault(fingerprint([group.identity, texts[label], reads]), group.label)
                if same == group.label and group.label not in {other.label for other in groups}:
                    groups.append(group)
                else:
                    dropped.append(Dropped(label, one.setting.label, same))
            tracker.advance()
    if not groups:
        raise ConfigError("settings: no model has a setting; write one without models, or name each model in one")
    return GenerationPlan(config, sets, asked, models, identities, tuple(groups), tuple(dropped), texts, negatives, cut)


def _resolve(config: GenerateConfig, model: BackendModel, asked: Sequence[AskedPrompt]) -> list[ResolvedSetting]:
    model.check_batch_size(_batch_size(config, model.label))
    resolved = [model.resolve(setting) for setting in config.settings_of(model.label)]
    own = next((row for row in asked if row.prompt.negative is not None), None)
    given = next((one.setting for one in resolved if one.setting.negative is not None), None)
    if own is not None and given is not None:
        raise ConfigError(
            f"settings ({given.label}): a negative prompt, though prompts of {own.prompt_set} bring their own; "
            f"leave one of the two out"
        )
    if own is not None and all(one.negative == "never" for one in resolved):
        raise ConfigError(
            f"models.{model.label}: prompts of {own.prompt_set} have negative prompts, which it does not read"
        )
    return resolved


def _batch_size(config: GenerateConfig, label: str) -> int:
    return config.models[label].batch_size or config.batch_size


def _group(config: GenerateConfig, model: str, resolved: ResolvedSetting, identity: Mapping[str, Any]) -> ImageGroup:
    return ImageGroup(model, resolved, fingerprint([identity, resolved.identity]), _batch_size(config, model))
