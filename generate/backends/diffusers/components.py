"""The components of a pipeline: those that its index names, and what a config puts in their place or leaves out."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diptych.assets import named_path
from diptych.errors import ConfigError
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
        ConfigError: If the pipeline has none of a name, or the name is one of a scheduler or a tokenizer.
    """
    known = [name for name, entry in index.items() if is_component(entry) and not FIXED.fullmatch(name)]
    said = dict(choice.components)
    for name in choice.components:
        if name not in known:
            raise ConfigError(f"models.{label}.components: {describe_unknown('component', name, known)}")
        match = TEXT_ENCODER.fullmatch(name)
        if match is not None and said[name] is None:
            said[f"{match['before'] or ''}tokenizer{match['number'] or ''}"] = None
    return said


def local_component(label: str, name: str, reference: str) -> Path | None:
    """Return the folder that a config names for a component; None where it is no folder here.

    Raises:
        ConfigError: If it is a folder without ``config.json``.
    """
    path = named_path(reference)
    if not path.is_dir():
        return None
    if not (path / "config.json").is_file():
        raise ConfigError(
            f"models.{label}.components.{name}: {path} has no config.json; give the folder of the component itself"
        )
    return path
