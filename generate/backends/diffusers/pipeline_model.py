"""A pipeline on disk as a model of the backend: its identity, what it makes of settings, what it reads of texts."""

import contextlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diptych.config.identity import fingerprint
from diptych.errors import ConfigError, DataError, DiptychError, named_line
from diptych.generate.backends.asked import ResolvedSetting, Setting
from diptych.generate.backends.diffusers.families import family_of
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.resolve import PipelineFamily
from diptych.progress.wording import quantity

# Processors take as many numbers at a time, and what is left over in another way: a batch must leave nothing over.
LANES = 32

# What code throws where a value in a small file of a model is of another kind than it has to be.
VALUE_ERRORS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@contextlib.contextmanager
def naming_damage(where: str, folder: Path | str) -> Iterator[None]:
    """Turn what code throws at impossible values in a model's small files into an error that names the model.

    Raises:
        DataError: In the place of such an error.
    """
    try:
        yield
    except DiptychError:
        raise
    except VALUE_ERRORS as error:
        raise DataError(
            f"{where}: a config in {folder} says what cannot be ({named_line(error)}); fetch the model again"
        ) from error


class PipelineModel:
    """One pipeline on disk and the family that drives it."""

    takes_images = False  # text to image alone

    def __init__(self, folder: ModelFolder) -> None:
        """Wrap a folder."""
        self.folder = folder
        self.family: PipelineFamily = family_of(folder.pipeline)
        self.label = folder.label

    def identity(self, *, with_weights: bool) -> Mapping[str, Any]:
        """Return pipeline class, components with config and weights, dtype."""
        with self._naming_damage():
            return self.folder.identity(with_weights=with_weights)

    def resolve(self, setting: Setting) -> ResolvedSetting:
        """Return the setting as this pipeline takes it."""
        with self._naming_damage():
            return self.family.resolve(self.folder, setting)

    def check_batch_size(self, batch_size: int) -> None:
        """Refuse batches of pipelines that may mix images up, and sizes that a processor does not divide evenly."""
        if batch_size == 1:
            return
        if not self.family.batches:
            raise ConfigError(
                f"{self.folder.where}: {self.folder.pipeline} is not known to keep the images of a batch apart; "
                f"write batch_size: 1"
            )
        with self._naming_damage():
            width = self.family.width(self.folder)
        step = LANES // math.gcd(LANES, width)
        if batch_size % step:
            raise ConfigError(
                f"{self.folder.where}: batch_size {batch_size}: with layers {width} wide it must be a multiple of "
                f"{step}, or 1; in any other the last image would differ in last digits from the same one in another "
                f"place"
            )

    @property
    def notes(self) -> list[str]:
        """Sentences about what is loaded otherwise than the config says."""
        without = [name for name in self.folder.modules if self.folder.variant_of(name) != self.folder.choice.variant]
        if not without:
            return []
        return [f"variant {self.folder.choice.variant}: {', '.join(without)} has none, and is taken without"]

    def reader(self) -> "TokenReader":
        """Return what reads texts by the tokenizers of this pipeline."""
        with self._naming_damage():
            return TokenReader(self.folder, self.family)

    def _naming_damage(self) -> contextlib.AbstractContextManager[None]:
        return naming_damage(self.folder.where, self.folder.path)


class TokenReader:
    """What the text encoders of a pipeline read, as hashes, and what they read otherwise than it is written."""

    def __init__(self, folder: ModelFolder, family: PipelineFamily) -> None:
        """Load the tokenizers of a pipeline."""
        self._folder = folder
        self._family = family
        self._tokenizers = folder.load_tokenizers()
        self._lengths = family.text_lengths(folder, self._tokenizers)
        self._special = {token for one in self._tokenizers.values() for token in one.all_special_tokens}
        self._seen: dict[str, str] = {}
        self._obeyed: Counter[tuple[str, str]] = Counter()  # by the kind of prompt and the token
        self._cut_negatives = 0
        self.cut = 0

    def text(self, text: str) -> str:
        """Return the hash of the ids that are read of a prompt."""
        if text not in self._seen:
            self._seen[text] = fingerprint(self._family.token_ids(self._folder, self._tokenizers, text))
            self.cut += self._is_cut(text)
            self._obeyed.update(("prompt", token) for token in self._special if token in text)
        return self._seen[text]

    def negative(self, text: str | None) -> str:
        """Return the hash of the ids that are read of a negative prompt, or of none; each is asked for once."""
        if text:
            self._cut_negatives += self._is_cut(text)
            self._obeyed.update(("negative prompt", token) for token in self._special if token in text)
        return fingerprint(self._family.negative_ids(self._folder, self._tokenizers, text))

    @property
    def notes(self) -> list[str]:
        """Sentences about negative prompts that are cut, and tokens in either that are obeyed and not read."""
        cut = [f"{quantity(self._cut_negatives, 'negative prompt')} cut, being longer than it reads"]
        return (cut if self._cut_negatives else []) + [
            f"{token!r} in {quantity(count, kind)}, which its tokenizer obeys as a token of its own and does not read"
            for (kind, token), count in sorted(self._obeyed.items())
        ]

    def _is_cut(self, text: str) -> bool:
        return any(len(self._tokenizers[name](text)["input_ids"]) > length for name, length in self._lengths.items())
