"""A pipeline on disk as a model of the backend: its identity, what it makes of settings, what it reads of texts."""

import math
from collections.abc import Mapping
from typing import Any

from diptych.config.identity import fingerprint
from diptych.errors import ConfigError
from diptych.generate.backends.asked import ResolvedSetting, Setting
from diptych.generate.backends.diffusers.families import family_of
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.generate.backends.diffusers.resolve import PipelineFamily

# Processors take as many numbers at a time, and what is left over in another way: a batch must leave nothing over.
LANES = 32


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
        return self.folder.identity(with_weights=with_weights)

    def resolve(self, setting: Setting) -> ResolvedSetting:
        """Return the setting as this pipeline takes it."""
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
        width = self.family.width(self.folder)
        step = LANES // math.gcd(LANES, width)
        if batch_size % step:
            raise ConfigError(
                f"{self.folder.where}: batch_size {batch_size}: with layers {width} wide it must be a multiple of "
                f"{step}, or 1; in any other the last image would differ in last digits from the same one in another "
                f"place"
            )

    def reader(self) -> "TokenReader":
        """Return what reads texts by the tokenizers of this pipeline."""
        return TokenReader(self.folder, self.family)


class TokenReader:
    """What the text encoders of a pipeline read, as hashes."""

    def __init__(self, folder: ModelFolder, family: PipelineFamily) -> None:
        """Load the tokenizers of a pipeline that is driven by what they give."""
        self._folder = folder
        self._family = family
        self._tokenizers = folder.load_tokenizers() if family.batches else {}
        self._seen: dict[str, str] = {}
        self.cut = 0

    def text(self, text: str) -> str:
        """Return the hash of the ids that are read of a prompt."""
        if text not in self._seen:
            ids = self._family.token_ids(self._folder, self._tokenizers, text)
            self._seen[text] = fingerprint(ids)
            self.cut += self._is_cut(ids, text)
        return self._seen[text]

    def negative(self, text: str | None) -> str:
        """Return the hash of the ids that are read of a negative prompt, or of none."""
        return fingerprint(self._family.negative_ids(self._folder, self._tokenizers, text))

    def _is_cut(self, ids: Mapping[str, Any], text: str) -> bool:
        read = set(ids) & set(self._tokenizers)
        return any(len(self._tokenizers[name](text)["input_ids"]) > len(ids[name]) for name in read)
