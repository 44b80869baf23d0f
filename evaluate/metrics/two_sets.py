"""The distance between two sets of images, named on the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.assets import named_path
from diptych.config.identity import fingerprint
from diptych.config.overrides import typed_value
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError, DataError
from diptych.evaluate.inputs.sides import DistanceSide, EncoderSpec, open_side
from diptych.evaluate.metrics.contract import SET_METRICS, Result, SetMetric, set_metric
from diptych.evaluate.metrics.frechet import FrechetStatistics
from diptych.evaluate.terminal import printable
from diptych.lookup import describe_unknown
from diptych.progress import track

WEIGHT_SUFFIXES = frozenset({".pth", ".pt", ".safetensors"})
UNKNOWN_ENCODER = "unknown"


@dataclass(frozen=True)
class SetDistance:
    """A distance and the two sides that it is between."""

    metric: str
    result: Result
    a: DistanceSide
    b: DistanceSide

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; ``n`` and ``n_reference`` are null where nobody knows of how many images."""
        fields = self.result.to_json()
        counts = {
            "n": fields.pop("n") or None,
            "n_reference": int(fields["details"].pop("n_reference", 0) or 0) or None,
        }
        sides = {name: {"path": str(side.path), "left_out": dict(side.reasons)} for name, side in self._sides}
        return {"metric": self.metric, **counts, **fields, **sides}

    def lines(self) -> list[str]:
        """Return it for people."""
        found, counts = self.result, self.to_json()
        ends = f"  95 % {found.ci_low:.6g} to {found.ci_high:.6g}" if counts["ci_low"] is not None else ""
        ends += f"  se {found.se:.3g}" if counts["se"] is not None else ""
        lines = [
            f"{self.metric}  {found.value:.6g}{ends}" if found.reason is None else f"{self.metric}  {found.reason}"
        ]
        if found.note:
            lines.append(f"  {found.note}")
        for (name, side), n in zip(self._sides, (counts["n"], counts["n_reference"]), strict=True):
            left_out = ", ".join(f"{reason} {count:,}" for reason, count in side.reasons.items())
            said = "images unknown" if n is None else f"{n:,} images"
            lines.append(
                f"  {name}  {printable(str(side.path))}: {said}{f'; left out: {left_out}' if left_out else ''}"
            )
        return lines

    @property
    def _sides(self) -> tuple[tuple[str, DistanceSide], tuple[str, DistanceSide]]:
        return ("a", self.a), ("b", self.b)


def measure_distance(a: Path, b: Path, metric: str, spec: EncoderSpec, *, progress: str = "auto") -> SetDistance:
    """Return the distance of the images at ``a`` to those at ``b``, the reference.

    Args:
        a: Dataset directory, folder of image files, or .npz file of statistics.
        b: The same.
        metric: Name of a set metric.
        spec: Encoder of what is not embedded yet.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If metric or encoder are wrong.
        DataError: If a side cannot be read, or the two do not compare.
    """
    chosen = set_metric(metric)
    left, right = (open_side(path, spec, progress=progress) for path in (a, b))
    identity = {"encoder": _same_encoder(left, right), "reference": right.content}
    with track(f"compute {metric}", None, mode=progress, unit="steps"):
        result = chosen.result(_statistics(chosen, left), _statistics(chosen, right), identity)
    return SetDistance(metric, result, left, right)


def encoder_spec(text: str, overrides: Sequence[str], batch_size: int) -> EncoderSpec:
    """Return the encoder that a text names.

    Args:
        text: A kind (``inception``), a folder of an open_clip model, a weights file of Inception, ``hf-hub:owner/name``
            or an architecture and its weights as open_clip names them (``ViT-B-32/openai``).
        overrides: Options as ``key=value``.
        batch_size: Images that it sees at once.

    Raises:
        ConfigError: If it is none of these.
    """
    options = dict(_option(override) for override in overrides)
    if text in ENCODERS:
        return EncoderSpec(text, options, batch_size)
    path = named_path(text)
    if path.is_file() and path.suffix.lower() in WEIGHT_SUFFIXES:
        return EncoderSpec("inception", {"weights": text, **options}, batch_size)
    if path.is_dir() or text.startswith("hf-hub:"):
        return EncoderSpec("open_clip", {"architecture": text, **options}, batch_size)
    architecture, slash, pretrained = text.partition("/")
    if slash and architecture and pretrained and not text.startswith((".", "/", "~")):
        return EncoderSpec("open_clip", {"architecture": architecture, "pretrained": pretrained, **options}, batch_size)
    hint = "or give an open_clip folder, ARCHITECTURE/PRETRAINED, or a weights file of Inception"
    raise ConfigError(f"{describe_unknown('encoder', text, ENCODERS)}; {hint}")


def check_metric(name: str) -> str:
    """Return the name of a set metric.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in SET_METRICS:
        raise ConfigError(describe_unknown("metric", name, SET_METRICS))
    return name


def _option(override: str) -> tuple[str, Any]:
    key, equals, _ = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: write it as key=value, an option of the encoder")
    return key, typed_value(override)


def _same_encoder(a: DistanceSide, b: DistanceSide) -> Mapping[str, Any] | str:
    """Return the identity of the encoder of both sides; of a side that does not say, that of the other is believed."""
    known = [side for side in (a, b) if side.encoder is not None]
    if not known:
        return UNKNOWN_ENCODER
    if len(known) == 2 and fingerprint(known[0].encoder) != fingerprint(known[1].encoder):
        raise DataError(f"{a.path} and {b.path}: their vectors come from two encoders: {_difference(a, b)}; embed anew")
    encoder = json.loads(json.dumps(known[0].encoder))
    return encoder if len(known) == 2 else {"of_one_side": encoder, "other_side": UNKNOWN_ENCODER}


def _difference(a: DistanceSide, b: DistanceSide) -> str:
    left, right = dict(a.encoder or {}), dict(b.encoder or {})
    names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    return ", ".join(f"{name} {left.get(name)!r} and {right.get(name)!r}" for name in names[:2])


def _statistics(metric: SetMetric, side: DistanceSide) -> Any:
    if side.vectors is not None:
        return metric.statistics(side.vectors, side.units)
    if metric.name != "frechet_distance":
        raise DataError(
            f"{side.path}: holds mean and covariance alone; {metric.name} needs the images or their vectors"
        )
    return FrechetStatistics(whole=side.moments, is_size_known=side.is_size_known)
