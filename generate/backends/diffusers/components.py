"""The components of a pipeline: those that its index names, and what a config puts in their place or leaves out."""

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diptych.assets import named_path
from diptych.errors import ConfigError, DataError
from diptych.generate.backends.asked import ModelChoice
from diptych.lookup import describe_unknown

# Parts of a pipeline that no pixel of a text-to-image run depends on, or that are part of the setting (the scheduler)
# or of the text (the tokenizers, whose output is what counts).
APART = re.compile(
    r"scheduler|(\w+_)?tokenizer(_\d)?|safety_checker|feature_extractor|image_encoder|(\w+_)?image_processor|"
    r"watermark(er)?"
)
FIXED = re.compile(r"(\w+_)?scheduler|(\w+_)?tokenizer(_\d)?")  # that a config has other words for
TEXT_ENCODER = re.compile(r"(?P<before>\w+_)?text_encoder(?P<number>_\d)?")
CONFIGS = ("config.json", "scheduler_config.json", "guider_config.json", "preprocessor_config.json")

# Never a black picture for what a checker takes for unsafe (scores do that job on the finished images), never a
# watermark in the pixels; and parts that only other tasks use need not be loaded.
LEFT_OUT: dict[str, Any] = {
    "add_watermarker": False,
    "feature_extractor": None,
    "image_encoder": None,
    "requires_safety_checker": False,
    "safety_checker": None,
    "watermarker": None,
}

# Text encoders that a pipeline reads as zeros where they are absent; without any other it fails.
ZEROS = {"StableDiffusion3Pipeline": ("text_encoder_3", "tokenizer_3")}


class Component(NamedTuple):
    """One part of a pipeline.

    Attributes:
        name: In the pipeline.
        library: Where its class is from, as the index says.
        kind: Name of its class.
        path: Its folder.
        replaced: Whether a config put it there.
    """

    name: str
    library: str
    kind: str
    path: Path
    replaced: bool = False

    @property
    def is_apart(self) -> bool:
        """Whether no pixel depends on it, or setting and text say it."""
        return APART.fullmatch(self.name) is not None


def components_of(index: Mapping[str, Any], path: Path, replaced: Mapping[str, Path | None]) -> dict[str, Component]:
    """Return the components that a pipeline is to have, by name.

    Args:
        index: The content of ``model_index.json``.
        path: Its folder.
        replaced: What a config says: another folder, or None for a component that is left out.
    """
    found = {}
    for name, entry in index.items():
        if not is_component(entry) or entry[1] is None or (name in replaced and replaced[name] is None):
            continue
        other = replaced.get(name)
        found[name] = Component(name, str(entry[0]), str(entry[1]), other or path / name, other is not None)
    return found


def is_component(entry: Any) -> bool:
    """Return whether an entry of an index is one of a component: library and class, or twice null for one left out."""
    return isinstance(entry, list) and len(entry) == 2 and all(one is None or isinstance(one, str) for one in entry)


def absent(index: Mapping[str, Any], present: Mapping[str, Component]) -> list[str]:
    """Return the components that a pipeline knows and does not get."""
    return [name for name, entry in index.items() if is_component(entry) and name not in present]


def replacements(label: str, choice: ModelChoice, index: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what a config says of components: a text encoder that is left out takes its tokenizer along.

    Raises:
        ConfigError: If the pipeline has none of a name to take the place of, the name is one of a scheduler or a
            tokenizer, or the component is never loaded.
    """
    known = [name for name, entry in index.items() if is_component(entry) and not FIXED.fullmatch(name)]
    said = dict(choice.components)
    for name in choice.components:
        if name not in known:
            raise ConfigError(f"models.{label}.components: {describe_unknown('component', name, known)}")
        if said[name] is not None and (name in LEFT_OUT or index[name][1] is None):
            why = (
                "is never loaded" if name in LEFT_OUT else "is null in model_index.json, so that its class is not known"
            )
            raise ConfigError(f"models.{label}.components: {name} {why}; leave it out of the config")
        match = TEXT_ENCODER.fullmatch(name)
        if match is not None and said[name] is None:
            said[f"{match['before'] or ''}tokenizer{match['number'] or ''}"] = None
    return said


def local_component(label: str, name: str, reference: str) -> Path | None:
    """Return the folder that a config names for a component; None where it is no folder here.

    Raises:
        ConfigError: If it is a folder without a config.
    """
    path = named_path(reference)
    if not path.is_dir():
        return None
    if not any((path / config).is_file() for config in CONFIGS):
        raise ConfigError(
            f"models.{label}.components.{name}: {path} has no config.json; give the folder of the component itself"
        )
    return path


def check_needed(
    where: str,
    pipeline: Any,
    index: Mapping[str, Any],
    present: Mapping[str, Component],
    *,
    replaced: Mapping[str, Any],
) -> None:
    """Check that a pipeline gets the components that it cannot do without.

    Args:
        where: How a message begins.
        pipeline: Its class.
        index: The content of ``model_index.json``.
        present: The components that it gets.
        replaced: What a config says of components.

    Raises:
        ConfigError: If the config leaves one out.
        DataError: If the index knows nothing of one. One that is null there is the author's choice.
    """
    for name, parameter in inspect.signature(pipeline.__init__).parameters.items():
        is_said = parameter.default is not parameter.empty or name in ("self", *LEFT_OUT) or name in present
        is_text = TEXT_ENCODER.fullmatch(name) is not None or FIXED.fullmatch(name) is not None
        is_optional = name in pipeline._optional_components and not is_text
        if is_said or is_optional or name in ZEROS.get(pipeline.__name__, ()):
            continue
        if name in replaced:
            raise ConfigError(f"{where}.components: {pipeline.__name__} cannot do without {name}; leave it in")
        if name not in index:
            raise DataError(
                f"{where}: model_index.json names no {name}, which {pipeline.__name__} needs; fetch the model again"
            )
