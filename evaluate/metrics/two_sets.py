"""A set metric between two sets of images, named on the command line."""

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
from diptych.evaluate.terminal import printable
from diptych.lookup import describe_unknown
from diptych.progress import track

WEIGHT_SUFFIXES = frozenset({".pth", ".pt", ".safetensors"})
UNKNOWN_ENCODER = "unknown"


@dataclass(frozen=True)
class SetDistance:
    """What a set metric says of two sets, and the two sides that it is between.

    Attributes:
        metric: Its name.
        results: By the name of each value.
        n_reference: Images of the reference; 0 where nobody knows.
        a: The images that are judged.
        b: The reference.
    """

    metric: str
    results: Mapping[str, Result]
    n_reference: int
    a: DistanceSide
    b: DistanceSide

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; ``n`` and ``n_reference`` are null where nobody knows of how many images."""
        values = {name: result.to_json() for name, result in self.results.items()}
        for fields in values.values():
            fields |= {"n": fields["n"] or None, "n_reference": self.n_reference or None}
        sides = {name: {"path": str(side.path), "left_out": dict(side.reasons)} for name, side in self._sides}
        return {"metric": self.metric, "values": values, **sides}

    def lines(self) -> list[str]:
        """Return it for people: a line for each value, what there is to know, a line for each side."""
        width = max(map(len, self.results))
        lines = [f"{name:<{width}}  {_in_words(result)}" for name, result in self.results.items()]
        notes = dict.fromkeys(result.note for result in self.results.values() if result.note)
        lines += [f"  {note}" for note in notes]
        n = next(iter(self.results.values())).n
        for (name, side), count in zip(self._sides, (n, self.n_reference), strict=True):
            left_out = ", ".join(f"{reason} {lost:,}" for reason, lost in side.reasons.items())
            said = f"{count:,} images" if count else "images unknown"
            lines.append(
                f"  {name}  {printable(str(side.path))}: {said}{f'; left out: {left_out}' if left_out else ''}"
            )
        return lines

    @property
    def _sides(self) -> tuple[tuple[str, DistanceSide], tuple[str, DistanceSide]]:
        return ("a", self.a), ("b", self.b)


def measure_distance(a: Path, b: Path, metric: str, spec: EncoderSpec, *, progress: str = "auto") -> SetDistance:
    """Return what a set metric says of the images at ``a`` against those at ``b``, the reference.

    Args:
        a: Dataset directory, folder of image files, or .npz file of statistics.
        b: The same.
        metric: Name of a set metric that compares two sets.
        spec: Encoder of what is not embedded yet.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If metric or encoder are wrong.
        DataError: If a side cannot be read, or the two do not compare.
    """
    chosen = set_metric(metric)
    if not chosen.needs_reference:
        raise ConfigError(f"--metric: {metric} looks at one set of images alone, not at the distance of two")
    left, right = (open_side(path, spec, progress=progress) for path in (a, b))
    identity = {"encoder": _same_encoder(left, right), "reference": right.content}
    with track(f"compute {metric}", None, mode=progress, unit="steps"):
        reference = _statistics(chosen, right)
        results = chosen.results(_statistics(chosen, left), reference, identity)
    return SetDistance(metric, results, reference.n, left, right)


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


def _statistics(metric: SetMetric[Any], side: DistanceSide) -> Any:
    if side.vectors is not None:
        return metric.statistics(side.vectors, side.units)
    if metric.from_moments is None or side.moments is None:
        raise DataError(
            f"{side.path}: holds mean and covariance alone; {metric.name} needs the images or their vectors"
        )
    return metric.from_moments(side.moments, side.is_size_known)


def _in_words(result: Result) -> str:
    if result.reason is not None:
        return result.reason
    known = result.to_json()
    ends = f"  95 % {result.ci_low:.6g} to {result.ci_high:.6g}" if known["ci_low"] is not None else ""
    return f"{result.value:.6g}{ends}" + (f"  se {result.se:.3g}" if known["se"] is not None else "")
