"""Models as folders: what the small files of a pipeline say, and the sha256 of all that decides a pixel.

Reads json and hashes weights; loads none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.assets import file_sha256
from diptych.config.identity import fingerprint
from diptych.errors import ConfigError, DataError, one_line
from diptych.generate.backends.asked import ModelChoice
from diptych.generate.backends.diffusers.components import (
    CONFIGS,
    Component,
    check_needed,
    components_of,
    is_component,
)
from diptych.generate.backends.diffusers.libraries import find_class, find_pipeline
from diptych.generate.backends.diffusers.samplers import SchedulerFacts
from diptych.pretrained.folder import read_object
from diptych.pretrained.libraries import import_library
from diptych.pretrained.weights import check_weights, weight_files, weights_sha256

# Entries of a component's config that say who wrote it.
WRITER = ("architectures", "dtype", "torch_dtype", "transformers_version")


@dataclass(frozen=True)
class ModelFolder:
    """A pipeline on disk, by its label in the config.

    Attributes:
        label: Its name in the config.
        choice: What the config says of it.
        path: The folder with ``model_index.json``.
        index: The content of that file.
        replaced: Folders of components that the config names, None for one that is left out.
    """

    label: str
    choice: ModelChoice
    path: Path
    index: Mapping[str, Any]
    replaced: Mapping[str, Path | None] = field(default_factory=dict)

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

    @cached_property
    def components(self) -> dict[str, Component]:
        """The components that it has, by name."""
        return components_of(self.index, self.path, self.replaced)

    @cached_property
    def modules(self) -> dict[str, Any]:
        """The components with weights that decide pixels, by name, with their classes; guiders and the like have none.

        A class that no installed library has is None: what it needs shows when it is loaded.
        """
        import torch

        pipeline = find_pipeline(self.pipeline)
        found = {}
        for name, part in self.components.items():
            kind = find_class(part.library, self.class_name(part), pipeline, name)
            if not part.is_apart and (kind is None or issubclass(kind, torch.nn.Module)):
                found[name] = kind
        return found

    @property
    def tokenizers(self) -> dict[str, str]:
        """The tokenizers, by name, with their classes."""
        return {name: part.kind for name, part in self.components.items() if "tokenizer" in name}

    def config_of(self, component: str) -> dict[str, Any]:
        """Return the config of a component; empty where it has none.

        Raises:
            DataError: If the file is damaged.
        """
        part = self.components.get(component)
        for name in CONFIGS:
            file = (part.path if part is not None else self.path / component) / name
            if file.is_file():
                return read_object(file)
        return {}

    def weight_files(self, component: str) -> list[Path]:
        """Return the files that hold the weights of a component, sorted.

        Raises:
            DataError: If there are none.
        """
        folder = self.components[component].path
        found = weight_files(folder)
        files = found.get(self.variant_of(component))
        if not files:
            have = ", ".join(sorted(str(name) for name in found if name))
            hint = f"it has the variants {have}: name one" if have else "convert them with save_pretrained"
            raise DataError(f"{self.where}: no safetensors weights in {folder}; {hint}")
        return files

    def variant_of(self, component: str) -> str | None:
        """Return the variant that is loaded of a component: the chosen one, or none where it has none."""
        return self.choice.variant if self.choice.variant in weight_files(self.components[component].path) else None

    def check(self, *, with_weights: bool) -> None:
        """Look at what has to be there: components, their configs, headers and sizes of the files of weights.

        Args:
            with_weights: Whether all weights have to be.

        Raises:
            DataError: If something is damaged or missing.
            ConfigError: If no component has the variant that the config names, it leaves out one that is needed, or
                there is no such pipeline.
        """
        check_needed(self.where, pipeline_class(self), self.index, self.components, replaced=self.replaced)
        there = [name for name in self.modules if weight_files(self.components[name].path)]
        for name in self.modules if with_weights or there else ():
            files = self.weight_files(name)
            try:
                check_weights(self.components[name].path, files, self.variant_of(name))
            except DataError as error:
                raise DataError(f"{self.where}: {error}") from error
        self._check_configs()
        variant = self.choice.variant
        if variant is not None and there and not any(self.variant_of(name) for name in there):
            raise ConfigError(f"{self.where}: variant {variant!r}: none of its components has it; leave it out")

    def _check_configs(self) -> None:
        for name, part in self.components.items():
            is_scheduler = part.kind.endswith("Scheduler")
            wanted = "scheduler_config.json" if is_scheduler else "config.json" if name in self.modules else ""
            if wanted and not (part.path / wanted).is_file():
                raise DataError(f"{self.where}: {part.path} has no {wanted}; fetch the model again")

    def identity(self, *, with_weights: bool = True) -> dict[str, Any]:
        """Return what decides pixels: pipeline class, components with config and weights, dtype.

        Args:
            with_weights: Whether to read the weights; else their place stands for them, which is enough to tell
                models of one config apart.
        """
        components = {
            name: self._part(part, with_weights=with_weights)
            for name, part in self.components.items()
            if not part.is_apart
        }
        switches = {
            name: value
            for name, value in self.index.items()
            if not name.startswith("_") and not is_component(value) and name != "requires_safety_checker"
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

    def installed(self, component: str, kind: Any) -> Any:
        """Return the class of a component.

        Raises:
            DataError: If it is None: no installed library has it.
        """
        if kind is None:
            name = self.class_name(self.components[component])
            raise DataError(
                f"{self.where}: no installed library has {name}, the class of its {component}; "
                f"update diffusers and transformers"
            )
        return kind

    def load_tokenizers(self) -> dict[str, Any]:
        """Return the tokenizers, loaded.

        Raises:
            DataError: If one is damaged, or of a class that no installed library has.
        """
        loaded = {}
        for name, kind in self.tokenizers.items():
            found = self.installed(name, find_class(self.components[name].library, kind, None, name))
            try:
                loaded[name] = found.from_pretrained(self.path / name, local_files_only=True)
            except Exception as error:  # whatever libraries throw at a folder that is no sound tokenizer
                raise DataError(f"{self.where}: {self.path / name} cannot be loaded: {one_line(error)}") from error
        return loaded

    def class_name(self, part: Component) -> str:
        """Return the class of a component: one that a config put there may be of another than the pipeline's own."""
        said = self.config_of(part.name).get("_class_name") if part.replaced and part.library == "diffusers" else None
        return str(said or part.kind)

    def _part(self, part: Component, *, with_weights: bool) -> dict[str, Any]:
        config = self.config_of(part.name)
        decisive = {key: value for key, value in config.items() if not key.startswith("_") and key not in WRITER}
        found = {"class": self.class_name(part), "config": fingerprint(decisive)[:16]}
        if part.name in self.modules:
            found["sha256"] = weights_sha256(self.weight_files(part.name)) if with_weights else str(part.path.resolve())
        return found


def pipeline_class(folder: ModelFolder) -> Any:
    """Return the diffusers class of a model's pipeline.

    Raises:
        ConfigError: If this diffusers has none of that name.
    """
    found = find_pipeline(folder.pipeline)
    if found is None:
        raise ConfigError(
            f"{folder.where}: diffusers {import_library('diffusers').__version__} has no pipeline {folder.pipeline!r}; "
            f"write another under pipeline, or install the diffusers that has it"
        )
    return found
