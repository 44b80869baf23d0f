"""A model of transformers: the folder that ``save_pretrained`` writes, or a name on the hub.

It decides which files are fetched, which of them are part of the model's identity, and says in one line what is wrong
with them. Code that a model brings along is never run.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from diptych.assets import file_sha256, is_offline, named_path, why_offline
from diptych.devices import Precision, torch_dtype
from diptych.errors import ConfigError, DataError, one_line
from diptych.pretrained.libraries import import_hub, import_library
from diptych.pretrained.memory import ANY_PRECISION, HeldWeights, check_fits
from diptych.pretrained.weights import check_weights, weight_files, weights_sha256

CONFIG_NAME = "config.json"
PICKLED = "pytorch_model.bin"  # of old models; torch reads its tensors and runs nothing of it
HUB_ID = re.compile(r"(?!\.)[\w.-]+/[\w.-]+")
AT = "@"  # before a revision
HUB_ERRORS = (OSError, ValueError, KeyError, RuntimeError)  # what errors of the hub and of HTTP derive from
DESCRIPTIONS = ("*.json", "*.txt", "*.model", "*.jinja")
WEIGHTS = ("model*.safetensors", "model.safetensors.index.json")

# The files beside the weights that decide what a model says: preparation of pictures, tokenizers, templates. Whatever
# else lies in a folder (the state of a trainer, a readme) does not make it another model.
DECIDING = re.compile(
    r"(config|generation_config|preprocessor_config|processor_config|image_processor_config|video_preprocessor_config"
    r"|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json"
    r"|(vocab|merges)\.txt|(tokenizer|spiece|sentencepiece\.bpe|spm)\.model|chat_template\.jinja"
)
PROCESSOR = "pil"  # who resamples pictures, of the backends that transformers has
EXTRA = "evaluate"


@dataclass(frozen=True)
class PretrainedFolder:
    """One model on this machine.

    Attributes:
        name: What the config calls it.
        path: Its folder.
        where: Whose option it is, for errors.
    """

    name: str
    path: Path
    where: str

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The content of its ``config.json``.

        Raises:
            DataError: If that is no JSON object.
        """
        return read_object(self.path / CONFIG_NAME)

    @property
    def labels(self) -> dict[int, str]:
        """The classes that it tells apart, by their numbers.

        Raises:
            DataError: If the configuration names none, or one that is no number and text.
        """
        named = self.config.get("id2label")
        if not isinstance(named, Mapping) or not named:
            raise DataError(f"{self.path / CONFIG_NAME}: names no classes (id2label); give a model that has some")
        try:
            return {int(number): str(label) for number, label in named.items()}
        except ValueError as error:
            raise DataError(f"{self.path / CONFIG_NAME}: id2label: {one_line(error)}; fetch the model again") from error

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What of the model decides a number: no name and no place, but the sha256 of its files and who resamples."""
        return {**self.described, "weights_sha256": self._weights_sha256()}

    @cached_property
    def described(self) -> dict[str, Any]:
        """The same without the weights."""
        return {
            "architecture": next(iter(self.config.get("architectures") or []), self.config.get("model_type")),
            "files_sha256": self._files_sha256(),
            "processor": PROCESSOR,
        }

    def held(self, precision: Precision, device: str) -> HeldWeights:
        """Return what it will hold in memory on a device."""
        files = weight_files(self.path).get(None) or [file for file in [self.path / PICKLED] if file.is_file()]
        return HeldWeights(tuple(files), precision, device, self.where, ANY_PRECISION)

    def load(self, kind: str, precision: Precision, device: str) -> Any:
        """Return the model on a device, ready to be asked.

        Args:
            kind: Name of its class in transformers, or of one of the Auto classes.
            precision: Of its weights and activations.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

        Raises:
            ConfigError: If there is no such device.
            DataError: If the device has not the memory for it, or the weights do not fit the configuration or lack some
                that it needs.
        """
        chosen = check_fits(self.held(precision, device))
        factory = getattr(import_library("transformers", extra=EXTRA), kind)
        try:
            model, said = factory.from_pretrained(
                self.path,
                local_files_only=True,
                dtype=torch_dtype(precision),
                trust_remote_code=False,
                output_loading_info=True,
            )
        except Exception as error:  # whatever the library throws at files that do not fit each other
            self._refuse(kind, error)
        if missing := sorted(said["missing_keys"]):
            raise DataError(
                f"{self.where}: {self.path}: {len(missing):,} weights that {type(model).__name__} needs are missing, "
                f"such as {missing[0]!r}, and would be random; give a model that was trained for this"
            )
        return model.eval().to(chosen)

    def processor(self, kind: str) -> Any:
        """Return what prepares pictures and texts for it: PIL's resampling, whatever else is installed.

        Args:
            kind: ``AutoImageProcessor``, ``AutoTokenizer``, ``AutoProcessor`` or the processor of one family.

        Raises:
            DataError: If its files do not say which, or ``AutoProcessor`` finds one of pictures or of text alone.
        """
        library = import_library("transformers", extra=EXTRA)
        here = {"local_files_only": True, "trust_remote_code": False}
        pinned = {"backend": PROCESSOR} if kind == "AutoImageProcessor" else {}
        try:
            processor = getattr(library, kind).from_pretrained(self.path, **here, **pinned)
            if hasattr(processor, "image_processor"):  # one with a part for videos refuses to be pinned as a whole
                processor.image_processor = library.AutoImageProcessor.from_pretrained(
                    self.path, **here, backend=PROCESSOR
                )
        except Exception as error:  # as above
            self._refuse(kind, error)
        if kind == "AutoProcessor" and not all(hasattr(processor, part) for part in ("image_processor", "tokenizer")):
            lacking = (
                "pictures" if hasattr(processor, "encode") else "text"
            )  # what it found is a tokenizer alone, or not
            raise DataError(
                f"{self.where}: {self.path} is of a model that takes no {lacking} ({type(processor).__name__}); give "
                f"one that takes pictures and text"
            )
        return processor

    def _refuse(self, kind: str, error: Exception) -> NoReturn:
        said = one_line(error)
        raise DataError(f"{self.where}: {self.path} does not load with transformers' {kind}: {said}") from error

    def _files_sha256(self) -> str:
        files = sorted(file for file in self.path.iterdir() if DECIDING.fullmatch(file.name))
        said = "".join(f"{file.name} {file_sha256(file.resolve())}\n" for file in files)
        return hashlib.sha256(said.encode()).hexdigest()

    def _weights_sha256(self) -> str:
        files = weight_files(self.path).get(None, [])
        if files:
            check_weights(self.path, files, None)
            return weights_sha256(files)
        if (self.path / PICKLED).is_file():
            return file_sha256((self.path / PICKLED).resolve())
        raise DataError(f"{self.where}: {self.path} has no weights (model.safetensors); fetch the model again")


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file of a model.

    Raises:
        DataError: If it is damaged.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged: {one_line(error)}; fetch the model again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: damaged: holds no JSON object; fetch the model again")
    return value


def find_pretrained(name: str, where: str, *, weights: bool = True) -> PretrainedFolder:
    """Return a model, fetching it from the hub where it is no folder here.

    Args:
        name: A folder, see ``assets.named_path``, or a name on the hub such as ``facebook/detr-resnet-50``, with
            ``@REVISION`` behind it of a branch, tag or commit.
        where: Whose option it is, for errors.
        weights: Whether its weights are wanted too.

    Raises:
        ConfigError: If there is no such folder and it is no name on the hub, or it holds no model of transformers.
        DataError: If it cannot be fetched.
    """
    path = named_path(name)
    hub_id, _, revision = name.partition(AT)
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{where}: {name} is a file; give the folder in which it lies")
    if not path.is_dir() and not HUB_ID.fullmatch(hub_id):
        raise ConfigError(
            f"{where}: no folder {str(path)!r}; give a folder with {CONFIG_NAME} and model.safetensors, "
            f"or a name on the hub such as facebook/detr-resnet-50"
        )
    if not path.is_dir():
        path = _from_hub(hub_id, revision or None, where, weights=weights)
    if not (path / CONFIG_NAME).is_file():
        raise ConfigError(f"{where}: {path} has no {CONFIG_NAME}; give the folder of a model that transformers loads")
    return PretrainedFolder(name, path, where)


def _from_hub(name: str, revision: str | None, where: str, *, weights: bool) -> Path:
    hub = import_hub(extra=EXTRA)
    asked = {"revision": revision, "local_files_only": is_offline()}
    try:
        wanted = WEIGHTS if weights else ()
        path = Path(hub.snapshot_download(name, allow_patterns=[*DESCRIPTIONS, *wanted], **asked))
        if weights and not weight_files(path):
            path = Path(hub.snapshot_download(name, allow_patterns=[*DESCRIPTIONS, PICKLED], **asked))
    except HUB_ERRORS as error:
        raise DataError(f"{where}: {name} {why_not_fetched(error)}") from error
    return path


def why_not_fetched(error: BaseException) -> str:
    """Return the end of the sentence that a model of the hub is not to be had: why, and what to do.

    Args:
        error: What the hub's library says. Where downloads are off it is not repeated: it speaks of connections.
    """
    if is_offline():
        return f"is not in the hub's cache whole, and {why_offline()}; fetch it first, or give the path of a folder"
    return f"cannot be fetched: {one_line(error)}; fetch it elsewhere and give the path of its folder"
