"""Encoders as the command line names them: by kind, by a path, or by an architecture and its weights."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from diptych.addresses import store_of
from diptych.assets import named_path
from diptych.config.overrides import typed_value
from diptych.config.such_as import check_given
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError
from diptych.evaluate.inputs.distance_side import EncoderSpec
from diptych.lookup import describe_unknown, resolve

WEIGHT_SUFFIXES = frozenset({".pth", ".pt", ".safetensors"})


def encoder_specs(texts: Sequence[str], overrides: Sequence[str], batch_size: int) -> dict[str, EncoderSpec]:
    """Return the encoders that texts name, each by its kind, or by its text where several are of one kind.

    Args:
        texts: As ``encoder_spec`` takes one, each with options of its own behind commas (``inception,layer=logits``).
        overrides: Options of a single encoder as ``key=value``.
        batch_size: Images that each sees at once.

    Raises:
        ConfigError: If one is none, or options do not say of which encoder they are.
    """
    if len(texts) > 1 and overrides:
        raise ConfigError(
            f"--set {overrides[0]}: of which of {len(texts)} encoders? Write it behind its name: "
            f"--encoder {texts[0]},{overrides[0]}"
        )
    specs: dict[str, EncoderSpec] = {}
    for text in dict.fromkeys(texts):
        is_path = store_of(text) is None and named_path(text).exists()
        name, *own = [text] if is_path else text.split(",")
        specs[text] = encoder_spec(name, [*own, *overrides], batch_size)
    kinds = Counter(spec.kind for spec in specs.values())
    return {spec.kind if kinds[spec.kind] == 1 else text: spec for text, spec in specs.items()}


def encoder_spec(text: str, overrides: Sequence[str], batch_size: int) -> EncoderSpec:
    """Return the encoder that a text names.

    Args:
        text: A kind (``inception``), a folder of an open_clip model, a weights file of Inception, ``hf-hub:owner/name``
            or an architecture and its weights as open_clip names them (``ViT-B-32/openai``).
        overrides: Options as ``key=value``.
        batch_size: Images that it sees at once.

    Raises:
        ConfigError: If it is none of these, or lacks an option that it needs.
    """
    options = dict(_option(override) for override in overrides)
    if text in ENCODERS:
        check_given(resolve(ENCODERS, "encoder", text), options, where=f"encoder {text!r}")
        return EncoderSpec(text, options, batch_size)
    path = named_path(text)
    if path.is_file() and path.suffix.lower() in WEIGHT_SUFFIXES:
        return EncoderSpec("inception", {"weights": text, **options}, batch_size)
    if path.is_dir() or text.startswith("hf-hub:"):
        return EncoderSpec("open_clip", {"architecture": text, **options}, batch_size)
    architecture, slash, pretrained = text.partition("/")
    if slash and architecture and pretrained and not text.startswith((".", "/", "~")):
        return EncoderSpec("open_clip", {"architecture": architecture, "pretrained": pretrained, **options}, batch_size)
    if text.startswith((".", "/", "~")):
        raise ConfigError(
            f"--encoder: {path}: no such folder; give one of an open_clip model, or a weights file of Inception"
        )
    hint = "or give an open_clip folder, ARCHITECTURE/PRETRAINED, or a weights file of Inception"
    raise ConfigError(f"{describe_unknown('encoder', text, ENCODERS)}; {hint}")


def spatial_spec(spec: EncoderSpec) -> EncoderSpec:
    """Return the encoder of the spatial layer beside that of the pooled one.

    Raises:
        ConfigError: If it is not Inception up to the pooled layer.
    """
    if spec.kind != "inception" or spec.options.get("layer", "pool3") != "pool3":
        raise ConfigError("--format adm: its statistics are of Inception; leave --encoder inception and its layer")
    return replace(spec, options={**spec.options, "layer": "spatial"})


def _option(override: str) -> tuple[str, Any]:
    key, equals, _ = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: write it as key=value, an option of the encoder")
    return key, typed_value(override)
