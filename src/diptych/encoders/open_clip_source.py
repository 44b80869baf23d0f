"""Where an open_clip model comes from: its configuration, its weights file and what of both decides a number."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.assets import PACKAGE_PREFIX, file_sha256, is_offline, named_path, why_offline
from diptych.config.identity import fingerprint
from diptych.errors import ConfigError, DataError, one_line
from diptych.lookup import describe_unknown

HUB_PREFIX = "hf-hub:"
OF_FOLDER = "from a folder"  # what is said of an architecture that has no name but its configuration
FOLDER_PREFIX = "local-dir:"
CONFIG_NAME = "open_clip_config.json"
PREPROCESS_KEYS = ("mean", "std", "interpolation", "resize_mode", "fill_color")
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Source:
    """A model that can be loaded.

    Attributes:
        name: What open_clip calls it: an architecture, or ``local-dir:PATH``.
        label: What the identity calls it: the architecture, the hub name, or ``OF_FOLDER``.
        model: open_clip's model configuration.
        weights: The weights file.
        quick_gelu: Whether the activation is QuickGELU.
        preprocess: ``size``, ``mean``, ``std``, ``interpolation``, ``resize_mode``, ``fill_color``.
    """

    name: str
    label: str
    model: Mapping[str, Any]
    weights: Path
    quick_gelu: bool
    preprocess: Mapping[str, Any]

    @property
    def is_named(self) -> bool:
        """Whether open_clip knows the architecture by name, so that the weights are given apart."""
        return not self.name.startswith(FOLDER_PREFIX)

    @property
    def tokenizer_name(self) -> str:
        """What open_clip finds the tokenizer by; that of a hub model may be in files beside those downloaded here."""
        return self.label if self.label.startswith(HUB_PREFIX) else self.name

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What of the source decides a vector; no path."""
        return {
            "architecture": self.label,
            "model": fingerprint(dict(self.model))[:16],
            "weights_sha256": file_sha256(self.weights),
            "quick_gelu": self.quick_gelu,
            "preprocess": json.loads(json.dumps(dict(self.preprocess))),
            "context_length": self.model["text_cfg"].get("context_length", 77),
        }


def find_source(architecture: str, pretrained: str | None, preprocess: Mapping[str, Any]) -> Source:
    """Find configuration and weights; see ``open_clip_encoder``."""
    folder = named_path(architecture.removeprefix(FOLDER_PREFIX))
    is_folder = architecture.startswith((FOLDER_PREFIX, PACKAGE_PREFIX)) or (folder / CONFIG_NAME).is_file()
    if not is_folder and not architecture.startswith(HUB_PREFIX):
        return _from_name(architecture, pretrained, preprocess)
    if pretrained is not None:
        raise ConfigError(f"{architecture}: brings its own weights; leave pretrained: {pretrained} out")
    if is_folder:
        return _from_folder(folder, OF_FOLDER, preprocess)
    return _from_folder(_download(architecture.removeprefix(HUB_PREFIX)), architecture, preprocess)


def _from_folder(folder: Path, label: str, overrides: Mapping[str, Any]) -> Source:
    path = folder / CONFIG_NAME
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        model, own = config["model_cfg"], config.get("preprocess_cfg", {})
        quick_gelu = bool(model.get("quick_gelu", False))
        cfg = _preprocess_cfg(model, own, overrides)
        if not isinstance(model["embed_dim"], int) or not isinstance(model["text_cfg"], dict):
            raise ValueError("embed_dim is a number and text_cfg a mapping")
    except FileNotFoundError as error:
        raise ConfigError(f"{folder}: no {CONFIG_NAME} there; give a folder saved by open_clip") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: not an open_clip configuration: {error!r}") from error
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return Source(f"{FOLDER_PREFIX}{folder}", label, model, folder / name, quick_gelu, cfg)
    raise ConfigError(f"{folder}: no weights there; open_clip looks for {', '.join(WEIGHT_FILES)}")


def _from_name(architecture: str, pretrained: str | None, overrides: Mapping[str, Any]) -> Source:
    import open_clip

    model = open_clip.get_model_config(architecture)
    if model is None:
        raise ConfigError(describe_unknown("architecture", architecture, open_clip.list_models()))
    if pretrained is None:
        raise ConfigError(
            f"{architecture}: say which weights: pretrained: a tag such as openai, or a checkpoint's path"
        )
    quick_gelu = bool(model.get("quick_gelu", False))
    path = named_path(pretrained)
    if path.is_file():
        _refuse_gelu_trap(path, architecture, quick_gelu)
        return Source(architecture, architecture, model, path, quick_gelu, _preprocess_cfg(model, {}, overrides))
    tag = open_clip.get_pretrained_cfg(architecture, pretrained)
    if not tag:
        known = open_clip.list_pretrained_tags_by_model(architecture)
        hint = describe_unknown("tag", pretrained, known)
        raise ConfigError(f"{architecture}: no checkpoint file {pretrained!r} here and {hint}")
    quick_gelu = quick_gelu or bool(tag.get("quick_gelu", False))  # some weights need it, whatever the name says
    return Source(
        architecture, architecture, model, _download_tag(tag), quick_gelu, _preprocess_cfg(model, tag, overrides)
    )


def _preprocess_cfg(model: Mapping[str, Any], own: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the preprocessing as open_clip merges it: its defaults, what came with the weights, the model's size."""
    from dataclasses import asdict

    from open_clip.transform import PreprocessCfg

    for name, value in overrides.items():
        if name not in OVERRIDES:
            raise ConfigError(f"preprocess: {describe_unknown('key', name, OVERRIDES)}")
        if not OVERRIDES[name](value):
            raise ConfigError(f"preprocess: {name} cannot be {value!r}")
    given = {key: own[key] for key in PREPROCESS_KEYS if own.get(key) is not None}
    cfg = asdict(PreprocessCfg(**{**given, "size": model["vision_cfg"].get("image_size", 224), **overrides}))
    return {key: list(value) if isinstance(value, tuple) else value for key, value in cfg.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_triple(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 3 and all(map(_is_number, value))


# What may be overridden and with what.
OVERRIDES: dict[str, Callable[[Any], bool]] = {
    "fill_color": _is_number,
    "interpolation": lambda value: value in ("bicubic", "bilinear"),
    "mean": _is_triple,
    "resize_mode": lambda value: value in ("longest", "shortest", "squash"),
    "size": lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
    "std": lambda value: _is_triple(value) and min(value) > 0,
}


def _refuse_gelu_trap(path: Path, architecture: str, quick_gelu: bool) -> None:
    """Refuse a checkpoint that is byte for byte one of OpenAI's under a name that would build it with GELU."""
    import open_clip

    if quick_gelu:
        return
    tag = open_clip.get_pretrained_cfg(architecture, "openai") or {}
    openai_sha256 = str(tag.get("url", "")).rpartition("/")[0].rpartition("/")[2]
    if openai_sha256 and file_sha256(path) == openai_sha256:
        raise ConfigError(
            f"{path}: these are OpenAI's weights, which need QuickGELU; write architecture: {architecture}-quickgelu"
        )


def _download_tag(tag: Mapping[str, Any]) -> Path:
    from open_clip.pretrained import download_pretrained

    if "file" in tag:
        return Path(str(tag["file"]))
    source = str(tag.get("hf_hub") or tag.get("url")).rstrip("/")
    otherwise = "download them elsewhere and give the path of the file as the encoder's option pretrained"
    if is_offline():
        fetched = Path.home() / ".cache" / "clip" / Path(source).name  # where open_clip keeps what comes by URL
        if not tag.get("hf_hub") and fetched.is_file():
            return fetched
        repository, _, name = str(tag.get("hf_hub") or "").rpartition("/")
        names = (f"{Path(name).stem}.safetensors", name) if name else WEIGHT_FILES
        return _cached(repository, names, f"the weights {source} are not in the hub's cache", otherwise)
    try:
        return Path(download_pretrained(dict(tag)))
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"the weights {source} are not cached and cannot be downloaded: {one_line(error)}; {otherwise}"
        ) from error


def _download(repository: str) -> Path:
    from huggingface_hub import hf_hub_download
    from open_clip.pretrained import download_pretrained_from_hf

    otherwise = "download it elsewhere and give the path of the folder as the encoder's option architecture"
    if is_offline():
        for names in ((CONFIG_NAME,), WEIGHT_FILES):
            found = _cached(repository, names, f"{HUB_PREFIX}{repository} is not in the hub's cache whole", otherwise)
        return found.parent
    try:
        config = hf_hub_download(repository, CONFIG_NAME)
        download_pretrained_from_hf(repository)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{HUB_PREFIX}{repository} is not cached and cannot be downloaded: {one_line(error)}; {otherwise}"
        ) from error
    return Path(config).parent


def _cached(repository: str, names: Sequence[str], missing: str, otherwise: str) -> Path:
    """Return the first of these files that the hub's cache has; open_clip itself would go on and download."""
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        path = try_to_load_from_cache(repository, name) if repository else None
        if isinstance(path, str):
            return Path(path)
    raise DataError(f"{missing}, and {why_offline()}; {otherwise}")
