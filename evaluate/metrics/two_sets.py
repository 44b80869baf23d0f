"""Set metrics between two sets of images, named on the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diptych.assets import named_path
from diptych.config.identity import fingerprint
from diptych.config.overrides import typed_value
from diptych.config.such_as import check_given
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError, DataError
from diptych.evaluate.inputs.distance_side import DistanceSide, EncoderSpec
from diptych.evaluate.inputs.set_images import told_apart_from
from diptych.evaluate.inputs.sides import open_sides
from diptych.evaluate.metrics.contract import Result, SetMetric, known_metric, set_metric
from diptych.evaluate.metrics.dependent_sets import results_between
from diptych.evaluate.metrics.overlap import DECLARED, Overlap, overlap
from diptych.evaluate.terminal import printable
from diptych.lookup import describe_unknown, resolve
from diptych.progress import track
from diptych.progress.wording import quantity

WEIGHT_SUFFIXES = frozenset({".pth", ".pt", ".safetensors"})
UNKNOWN_ENCODER = "unknown"
ENCODER_UNKNOWN = "encoder and resize unknown"


@dataclass(frozen=True)
class SetDistance:
    """What set metrics say of two sets, and the two sides that it is between.

    Attributes:
        metrics: Their names.
        results: By the name of each value.
        n: Images of the set that is judged; 0 where nobody knows.
        n_reference: Of the reference.
        a: The images that are judged.
        b: The reference.
    """

    metrics: Sequence[str]
    results: Mapping[str, Result]
    n: int
    n_reference: int
    a: DistanceSide
    b: DistanceSide

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; ``n`` and ``n_reference`` are null where nobody knows of how many images."""
        values = {name: result.to_json() for name, result in self.results.items()}
        for fields in values.values():
            fields |= {"n": fields["n"] or None, "n_reference": self.n_reference or None}
        sides = {name: {"path": str(side.path), "left_out": dict(side.reasons)} for name, side in self._sides}
        return {"metrics": list(self.metrics), "values": values, **sides}

    def lines(self) -> list[str]:
        """Return it for people: a line for each value and what there is to know of it, a line for each side."""
        width = max(map(len, self.results))
        lines, said = [], ""
        for name, result in self.results.items():
            lines.append(f"{name:<{width}}  {_in_words(result)}")
            told = "; ".join(filter(None, (result.note, result.caution)))
            lines += [f"  {told}"] if told not in ("", said) else []
            said = told
        for (name, side), count in zip(self._sides, (self.n, self.n_reference), strict=True):
            left_out = ", ".join(f"{reason} {lost:,}" for reason, lost in side.reasons.items())
            images = quantity(count, "image") if count else "images of unknown number"
            known = "" if side.encoder is not None else f"; {ENCODER_UNKNOWN}"
            lines.append(
                f"  {name}  {printable(str(side.path))}: {images}{f'; left out: {left_out}' if left_out else ''}{known}"
            )
        return lines

    @property
    def _sides(self) -> tuple[tuple[str, DistanceSide], tuple[str, DistanceSide]]:
        return ("a", self.a), ("b", self.b)


def measure_distances(
    a: Path, b: Path, metrics: Sequence[str], spec: EncoderSpec, *, is_paired: bool = False, progress: str = "auto"
) -> SetDistance:
    """Return what set metrics say of the images at ``a`` against those at ``b``, the reference; each is embedded once.

    Args:
        a: Dataset directory, folder of image files, or .npz file of statistics.
        b: The same.
        metrics: Names of set metrics that compare two sets.
        spec: Encoder of what is not embedded yet.
        is_paired: Whether it is declared that the images of ``a`` are versions of those of ``b``.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a metric or the encoder is wrong.
        DataError: If a side cannot be read, or the two do not compare.
    """
    chosen = [_comparing(name) for name in dict.fromkeys(metrics)]
    left, right = open_sides((a, b), spec, progress=progress)
    if left.images is not None and right.images is not None:
        right = replace(right, images=told_apart_from(left.images, right.images))
    encoder = _same_encoder(left, right)
    facts = {"encoder": encoder, "reference": right.content}
    shared = Overlap(0, 0, DECLARED) if is_paired else _overlap(left, right)
    results: dict[str, Result] = {}
    n, n_reference = 0, 0
    for metric in chosen:
        with track(f"compute {metric.name}", None, mode=progress, unit="steps"):
            names = metric.names_in(left.encoder if left.encoder is not None and right.encoder is not None else None)
            statistics, reference = _statistics(metric, left), _statistics(metric, right)
            n, n_reference = statistics.n, reference.n
            found = results_between(metric, statistics, reference, facts, shared)
            results |= {names[name]: _saying_of_unknown(result, left, right) for name, result in found.items()}
    return SetDistance([metric.name for metric in chosen], results, n, n_reference, left, right)


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


def _comparing(given: str) -> SetMetric[Any]:
    """Return the set metric of a name.

    Raises:
        ConfigError: If there is none, or it compares no two sets.
    """
    try:
        name = known_metric(given)
    except ConfigError as error:
        raise ConfigError(f"--metric: {error}") from error
    metric = set_metric(name)
    if not metric.needs_reference:
        raise ConfigError(f"--metric: {name} looks at one set of images alone, not at the distance of two")
    return metric


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


def _overlap(left: DistanceSide, right: DistanceSide) -> Overlap | None:
    return None if left.images is None or right.images is None else overlap(left.images, right.images)


def _saying_of_unknown(result: Result, *sides: DistanceSide) -> Result:
    """Return a result that says of a side that nobody knows its encoder."""
    unknown = [printable(str(side.path)) for side in sides if side.encoder is None]
    if not unknown:
        return result
    places = ", ".join(dict.fromkeys(unknown))
    return result.cautioned(f"{ENCODER_UNKNOWN} of {places}, taken for the same as its vectors are as long")


def _difference(a: DistanceSide, b: DistanceSide) -> str:
    left, right = dict(a.encoder or {}), dict(b.encoder or {})
    names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    return ", ".join(f"{name} {left.get(name)!r} and {right.get(name)!r}" for name in names[:2])


def _statistics(metric: SetMetric[Any], side: DistanceSide) -> Any:
    if side.images is not None:
        return metric.statistics(side.images.vectors, side.images.units)
    if metric.from_moments is None or side.moments is None:
        raise DataError(
            f"{side.path}: holds mean and covariance alone; {metric.name} needs the images or their vectors"
        )
    return metric.from_moments(side.moments, side.is_size_known)


def _in_words(result: Result) -> str:
    if result.reason is not None:
        return result.reason
    known = result.to_json()
    ends = f"  95 % {result.ci_low:z.6g} to {result.ci_high:z.6g}" if known["ci_low"] is not None else ""
    return f"{result.value:z.6g}{ends}" + (f"  se {result.se:.3g}" if known["se"] is not None else "")
