"""The plan: which images a config asks for, in which order, under which keys, and what they cost.

The order is models, then settings, then prompts, then samples; a shard is a fixed run of it. Nothing here loads
weights; their sha256 is part of a key.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from diptych.config.identity import fingerprint
from diptych.config.options import call_with_options
from diptych.errors import ConfigError
from diptych.generate.backends.diffusers.families import family_of
from diptych.generate.backends.diffusers.models import ModelFolder, find_model
from diptych.generate.backends.diffusers.resolved import Resolved
from diptych.generate.config import GenerateConfig, PromptChoice
from diptych.generate.prompts import PROMPT_SETS, Prompt, PromptSet
from diptych.generate.seeds import seed_of
from diptych.lookup import describe_unknown, resolve
from diptych.progress import track

# Processors take as many numbers at a time, and what is left over in another way: a batch must leave nothing over.
LANES = 32
KEY_VERSION = 1
KEY_BYTES = 16


class AskedPrompt(NamedTuple):
    """A prompt with the set it is from and how many images are asked for."""

    prompt_set: str
    prompt: Prompt
    samples: int


class PlannedImage(NamedTuple):
    """One image of the plan."""

    asked: AskedPrompt
    number: int  # of the prompt in the plan
    sample: int
    seed: int


class Dropped(NamedTuple):
    """A setting of a model that gives the images of an earlier one."""

    model: str
    setting: str
    same_as: str


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
    resolved: Resolved
    identity: str
    batch_size: int

    @property
    def label(self) -> str:
        """What a message calls it."""
        return f"{self.model}, {self.resolved.setting.label}"


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
    models: Mapping[str, ModelFolder]
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
    models = {label: find_model(label, choice, with_weights=with_weights) for label, choice in config.models.items()}
    groups: list[ImageGroup] = []
    dropped: list[Dropped] = []
    identities: dict[str, Any] = {}
    texts: dict[str, list[str]] = {}
    negatives: dict[str, dict[str | None, str]] = {}
    cut: dict[str, int] = {}
    seen: dict[str, str] = {}
    with track("read the models", len(models), mode=progress, unit="models") as tracker:
        for label, folder in models.items():
            identities[label] = folder.identity(with_weights=with_weights)
            resolved = _resolve(config, folder, asked)
            reader = _TextReader(folder)
            texts[label] = [reader.text(one.prompt.text) for one in asked]
            cut |= {label: reader.cut} if reader.cut else {}
            wanted = {one.negative_of(row.prompt.negative) for one in resolved if one.takes_negative for row in asked}
            negatives[label] = {text: reader.negative(text) for text in wanted}
            for one in resolved:
                group = _group(config, folder, one, identities[label])
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


def read_prompts(config: GenerateConfig) -> tuple[dict[str, PromptSet], tuple[AskedPrompt, ...]]:
    """Return the prompt sets of a config by name, and the chosen prompts in order.

    Raises:
        DiptychError: If a set cannot be had, or nothing is chosen from it.
    """
    sets, asked = {}, []
    for number, choice in enumerate(config.prompts):
        where = f"prompts.{number} ({choice.label})"
        found = _read_set(choice, where)
        chosen = _choose(found.prompts, choice)
        if not chosen:
            raise ConfigError(f"{where}: no prompt is left; it has the categories {_categories(found.prompts)}")
        sets[choice.label] = found
        asked += [AskedPrompt(choice.label, prompt, choice.samples or config.samples) for prompt in chosen]
    return sets, tuple(asked)


def _read_set(choice: PromptChoice, where: str) -> PromptSet:
    import inspect

    factory = resolve(PROMPT_SETS, "prompt set", choice.kind)
    options = dict(choice.options)
    # A set that is made to measure takes these itself; of any other they choose afterwards.
    for name in ("categories", "per_category"):
        if name in inspect.signature(factory).parameters and getattr(choice, name) is not None:
            options[name] = getattr(choice, name)
    if choice.path is not None:
        options["path"] = choice.path
    return call_with_options(factory, options, where=where)  # type: ignore[no-any-return]


def _choose(prompts: Sequence[Prompt], choice: PromptChoice) -> list[Prompt]:
    known = {prompt.category for prompt in prompts}
    for category in choice.categories or ():
        if category not in known:
            raise ConfigError(f"prompts ({choice.label}): {describe_unknown('category', category, known - {''})}")
    counts: dict[str, int] = {}
    chosen = []
    for prompt in prompts:
        if choice.categories is not None and prompt.category not in choice.categories:
            continue
        counts[prompt.category] = counts.get(prompt.category, 0) + 1
        if choice.per_category is None or counts[prompt.category] <= choice.per_category:
            chosen.append(prompt)
    return chosen[: choice.limit]


def _categories(prompts: Sequence[Prompt]) -> str:
    return ", ".join(dict.fromkeys(prompt.category for prompt in prompts if prompt.category)) or "none"


def _resolve(config: GenerateConfig, folder: ModelFolder, asked: Sequence[AskedPrompt]) -> list[Resolved]:
    family, settings = family_of(folder.pipeline), config.settings_of(folder.label)
    batch_size = _batch_size(config, folder)
    if batch_size > 1 and not family.batches:
        raise ConfigError(
            f"{folder.where}: {folder.pipeline} is not known to keep the images of a batch apart; write batch_size: 1"
        )
    width = family.width(folder)
    step = LANES // math.gcd(LANES, width)
    if batch_size > 1 and batch_size % step:
        raise ConfigError(
            f"{folder.where}: batch_size {batch_size}: with layers {width} wide it must be a multiple of {step}, or 1; "
            f"in any other the last image would differ in last digits from the same one in another place"
        )
    resolved = [family.resolve(folder, setting) for setting in settings]
    own = next((row for row in asked if row.prompt.negative is not None), None)
    given = next((setting for setting in settings if setting.negative is not None), None)
    if own is not None and given is not None:
        raise ConfigError(
            f"settings ({given.label}): a negative prompt, though prompts of {own.prompt_set} bring their own; "
            f"leave one of the two out"
        )
    if own is not None and not any(one.takes_negative for one in resolved) and not _is_off(family, resolved):
        raise ConfigError(f"{folder.where}: prompts of {own.prompt_set} have negative prompts, which it does not read")
    return resolved


def _is_off(family: Any, resolved: Sequence[Resolved]) -> bool:
    """Return whether it is low guidance alone that leaves negative prompts out."""
    ignores = getattr(family, "ignores_negative", lambda guidance: False)
    return any(ignores(one.guidance) for one in resolved)


def _batch_size(config: GenerateConfig, folder: ModelFolder) -> int:
    return folder.choice.batch_size or config.batch_size


def _group(config: GenerateConfig, folder: ModelFolder, resolved: Resolved, identity: Mapping[str, Any]) -> ImageGroup:
    decisive = fingerprint([identity, resolved.identity(folder.choice.options)])
    return ImageGroup(folder.label, resolved, decisive, _batch_size(config, folder))


class _TextReader:
    """What the text encoders of a model read, as hashes."""

    def __init__(self, folder: ModelFolder) -> None:
        self._folder = folder
        self._family = family_of(folder.pipeline)
        self._tokenizers = folder.load_tokenizers() if self._family.batches else {}
        self._seen: dict[str, str] = {}
        self.cut = 0

    def text(self, text: str) -> str:
        if text not in self._seen:
            ids = self._family.token_ids(self._folder, self._tokenizers, text)
            self._seen[text] = fingerprint(ids)
            self.cut += self._is_cut(ids, text)
        return self._seen[text]

    def negative(self, text: str | None) -> str:
        return fingerprint(self._family.negative_ids(self._folder, self._tokenizers, text))

    def _is_cut(self, ids: Mapping[str, Any], text: str) -> bool:
        read = set(ids) & set(self._tokenizers)
        return any(len(self._tokenizers[name](text)["input_ids"]) > len(ids[name]) for name in read)
