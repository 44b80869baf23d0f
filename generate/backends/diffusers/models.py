"""Models as folders: where a pipeline lies, what its small files say, and the sha256 of all that decides a pixel.

Reads json and hashes weights; loads none. Weights are safetensors only: the other format can run code.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.assets import file_sha256, is_offline, named_path
from diptych.config.identity import fingerprint
from diptych.errors import ConfigError, DataError, MissingExtra, one_line
from diptych.generate.backends.asked import ModelChoice
from diptych.generate.backends.diffusers.samplers import SchedulerFacts

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
WEIGHTS = re.compile(r"(?:diffusion_pytorch_model|model)(?:\.(?P<variant>\w+))?(?:-\d{5}-of-\d{5})?\.safetensors")

# Parts of a pipeline that no pixel of a text-to-image run depends on, or that are part of the setting (the scheduler)
# or of the text (the tokenizers, whose output is what counts).
APART = re.compile(
    r"scheduler|tokenizer(_\d)?|safety_checker|feature_extractor|image_encoder|image_processor|watermark"
)
# Entries of a component's config that say who wrote it.
WRITER = ("architectures", "dtype", "torch_dtype", "transformers_version")
SMALL_FILES = ["*.json", "*.txt", "*.model"]


@dataclass(frozen=True)
class ModelFolder:
    """A pipeline on disk, by its label in the config.

    Attributes:
        label: Its name in the config.
        choice: What the config says of it.
        path: The folder with ``model_index.json``.
        index: The content of that file.
    """

    label: str
    choice: ModelChoice
    path: Path
    index: Mapping[str, Any]

    @property
    def pipeline(self) -> str:
        """The class of its pipeline."""
        return str(self.choice.pipeline or self.index["_class_name"])

    @property
    def where(self) -> str:
        """How a message begins that is about it."""
        return f"models.{self.label}"

    @cached_property
    def scheduler(self) -> SchedulerFacts:
        """The scheduler that it was saved with."""
        config = self.config_of("scheduler")
        name = config.get("_class_name") or (self.index.get("scheduler") or [None, ""])[1]
        return SchedulerFacts(str(name), {key: value for key, value in config.items() if not key.startswith("_")})

    @property
    def parts(self) -> dict[str, str]:
        """The components that decide pixels, by name, with their classes."""
        return {name: entry[1] for name, entry in self._components().items() if not APART.fullmatch(name)}

    @property
    def modules(self) -> dict[str, tuple[str, str]]:
        """Of these, those of diffusers and transformers, with library and class."""
        found = self._components()
        return {name: found[name] for name in self.parts if found[name][0] in ("diffusers", "transformers")}

    @property
    def tokenizers(self) -> dict[str, str]:
        """The tokenizers, by name, with their classes."""
        return {name: entry[1] for name, entry in self._components().items() if name.startswith("tokenizer")}

    def config_of(self, component: str) -> dict[str, Any]:
        """Return the config of a component; empty where it has none.

        Raises:
            DataError: If the file is damaged.
        """
        for name in ("config.json", "scheduler_config.json"):
            file = self.path / component / name
            if file.is_file():
                return _read_object(file)
        return {}

    def weight_files(self, component: str) -> list[Path]:
        """Return the files that hold the weights of a component, sorted.

        Raises:
            DataError: If there are none.
        """
        found = self._weights(component)
        files = found.get(self.variant_of(component))
        if not files:
            have = ", ".join(sorted(str(name) for name in found if name))
            hint = f"it has the variants {have}: name one" if have else "convert them with save_pretrained"
            raise DataError(f"{self.where}: no safetensors weights in {self.path / component}; {hint}")
        return files

    def variant_of(self, component: str) -> str | None:
        """Return the variant that is loaded of a component: the chosen one, or none where it has none."""
        return self.choice.variant if self.choice.variant in self._weights(component) else None

    def identity(self, *, with_weights: bool = True) -> dict[str, Any]:
        """Return what decides pixels: pipeline class, components with config and weights, dtype.

        Args:
            with_weights: Whether to read the weights; else their place stands for them, which is enough to tell
                models of one config apart.
        """
        components = {name: self._part(name, kind, with_weights=with_weights) for name, kind in self.parts.items()}
        switches = {
            name: value
            for name, value in self.index.items()
            if not name.startswith("_") and not isinstance(value, list) and name != "requires_safety_checker"
        }
        return {
            "pipeline": self.pipeline,
            "components": components,
            "switches": switches,
            "dtype": self.choice.dtype,
        }

    def tokenizer_identity(self) -> dict[str, str]:
        """Return the sha256 of the files of each tokenizer, for pipelines whose use of them is not known."""
        found = {}
        for name in self.tokenizers:
            files = sorted(path for path in (self.path / name).glob("*") if path.is_file())
            found[name] = fingerprint([[file.name, file_sha256(file)] for file in files])
        return found

    def load_tokenizers(self) -> dict[str, Any]:
        """Return the tokenizers, loaded.

        Raises:
            DataError: If one is damaged.
        """
        transformers = import_library("transformers")
        loaded = {}
        for name, kind in self.tokenizers.items():
            try:
                loaded[name] = getattr(transformers, kind).from_pretrained(self.path / name, local_files_only=True)
            except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
                raise DataError(f"{self.where}: {self.path / name} cannot be loaded: {one_line(error)}") from error
        return loaded

    def _components(self) -> dict[str, tuple[str, str]]:
        return {
            name: (entry[0], entry[1])
            for name, entry in self.index.items()
            if isinstance(entry, list) and len(entry) == 2 and entry[0] is not None and entry[1] is not None
        }

    def _weights(self, component: str) -> dict[str | None, list[Path]]:
        found: dict[str | None, list[Path]] = {}
        for file in sorted((self.path / component).glob("*.safetensors")):
            if match := WEIGHTS.fullmatch(file.name):
                found.setdefault(match["variant"], []).append(file)
        return found

    def _part(self, name: str, kind: str, *, with_weights: bool) -> dict[str, Any]:
        config = self.config_of(name)
        decisive = {key: value for key, value in config.items() if not key.startswith("_") and key not in WRITER}
        return {
            "class": kind,
            "config": fingerprint(decisive)[:16],
            "sha256": self._weights_sha256(name) if with_weights else str((self.path / name).resolve()),
        }

    def _weights_sha256(self, component: str) -> str:
        digests = [file_sha256(file.resolve()) for file in self.weight_files(component)]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def find_model(label: str, choice: ModelChoice, *, with_weights: bool) -> ModelFolder:
    """Return the model of a config, fetching it from the hub where it is not a folder.

    Args:
        label: Its name in the config.
        choice: What the config says of it.
        with_weights: Whether a model on the hub has to be there whole, or its small files are enough.

    Raises:
        ConfigError: If there is no such folder and the name is no hub id, or it is no text-to-image pipeline.
        DataError: If it cannot be fetched or its files are damaged.
    """
    path = named_path(choice.path_or_id)
    if not path.is_dir():
        if path.exists() or not HUB_ID.fullmatch(choice.path_or_id):
            raise ConfigError(
                f"models.{label}: no folder {choice.path_or_id!r}; give the folder of a diffusers pipeline "
                f"(with model_index.json) or an id on the hub such as stabilityai/stable-diffusion-xl-base-1.0"
            )
        path = _from_hub(label, choice, with_weights=with_weights)
    elif choice.revision is not None:
        raise ConfigError(f"models.{label}: a revision belongs to a model on the hub, {choice.path_or_id} is a folder")
    if not (path / "model_index.json").is_file():
        raise ConfigError(f"models.{label}: {path} has no model_index.json; give the folder of a diffusers pipeline")
    folder = ModelFolder(label, choice, path, _read_object(path / "model_index.json"))
    if not isinstance(folder.index.get("_class_name"), str):
        raise DataError(f"{path / 'model_index.json'}: names no pipeline class")
    return folder


def pipeline_class(folder: ModelFolder) -> Any:
    """Return the diffusers class of a model's pipeline.

    Raises:
        ConfigError: If this diffusers has none of that name.
    """
    diffusers = import_library("diffusers")
    found = getattr(diffusers, folder.pipeline, None)
    if not isinstance(found, type) or not issubclass(found, diffusers.DiffusionPipeline):
        raise ConfigError(
            f"{folder.where}: diffusers {diffusers.__version__} has no pipeline {folder.pipeline!r}; "
            f"write another under pipeline, or install the diffusers that has it"
        )
    return found


def import_library(name: str) -> Any:
    """Return one of the libraries of this part, its chatter switched off.

    Raises:
        MissingExtra: If it is not installed.
    """
    import importlib

    try:
        module = importlib.import_module(name)
        logging = importlib.import_module(f"{name}.utils.logging")
    except ModuleNotFoundError as error:
        raise MissingExtra("generate", (error.name or name).partition(".")[0]) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return module


def _from_hub(label: str, choice: ModelChoice, *, with_weights: bool) -> Path:
    hub = import_hub()
    where = f"models.{label}: {choice.path_or_id}"
    if is_offline():
        advice = "is not in the cache whole and downloads are switched off; fetch it first, or give a folder"
    else:
        advice = "cannot be fetched"
    offline = {"revision": choice.revision, "local_files_only": is_offline()}
    try:
        if not with_weights:
            return Path(hub.snapshot_download(choice.path_or_id, allow_patterns=SMALL_FILES, **offline))
        diffusers = import_library("diffusers")
        found = diffusers.DiffusionPipeline.download(
            choice.path_or_id, variant=choice.variant, use_safetensors=True, **offline
        )
        return Path(found)
    except (OSError, ValueError, KeyError, RuntimeError) as error:  # what hub and HTTP errors derive from
        raise DataError(f"{where} {advice}: {one_line(error)}") from error


def import_hub() -> Any:
    """Return the library that knows the hub's cache.

    Raises:
        MissingExtra: If it is not installed.
    """
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise MissingExtra("generate", "huggingface_hub") from error
    return huggingface_hub


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged: {one_line(error)}; fetch the model again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: damaged: holds no JSON object; fetch the model again")
    return value
