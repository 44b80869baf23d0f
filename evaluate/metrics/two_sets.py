"""Set metrics of one or two sets of images, named on the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diptych.config.identity import fingerprint
from diptych.errors import ConfigError, DataError
from diptych.evaluate.inputs.distance_side import DistanceSide, EncoderSpec
from diptych.evaluate.inputs.file_traits import differences
from diptych.evaluate.inputs.set_images import told_apart_from
from diptych.evaluate.inputs.sides import open_sides
from diptych.evaluate.metrics.contract import Result, SetMetric, known_metric, set_metric
from diptych.evaluate.metrics.dependent_sets import results_between
from diptych.evaluate.metrics.overlap import DECLARED, Overlap, overlap
from diptych.evaluate.metrics.side_statistics import (
    ENCODER_UNKNOWN,
    UNKNOWN_ENCODER,
    different,
    encoder_of_both,
    saying_of_unknown,
    side_statistics,
)
from diptych.evaluate.terminal import printable
from diptych.progress import track
from diptych.progress.wording import quantity
from diptych.storage.store_path import ReadPath

MOST_SIDES = 2


@dataclass(frozen=True)
class SetDistance:
    """What set metrics say of two sets, or of one, and the sides that it is between.

    Attributes:
        metrics: Their names.
        results: By the name of each value, the label of the encoder in front where there are several.
        n: Images of the set that is judged; 0 where nobody knows.
        n_reference: Of the reference.
        a: The images that are judged.
        b: The reference, where there is one.
    """

    metrics: Sequence[str]
    results: Mapping[str, Result]
    n: int
    n_reference: int
    a: DistanceSide
    b: DistanceSide | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values; ``n`` and ``n_reference`` are null where nobody knows of how many images."""
        values = {name: result.to_json() for name, result in self.results.items()}
        for fields in values.values():
            has_reference = "reference" in fields["identity"]
            fields |= {"n": fields["n"] or None, "n_reference": (self.n_reference if has_reference else 0) or None}
        sides = {name: {"path": str(side.path), "left_out": dict(side.reasons)} for name, side, _ in self._sides}
        return {"metrics": list(self.metrics), "values": values, **sides, "warnings": self.warnings}

    def lines(self) -> list[str]:
        """Return it for people: a line for each value and what there is to know of it, a line for each side."""
        width = max(map(len, self.results))
        lines, said = [], ""
        for name, result in self.results.items():
            lines.append(f"{name:<{width}}  {_in_words(result)}")
            told = "; ".join(filter(None, (result.note, result.caution)))
            lines += [f"  {told}"] if told not in ("", said) else []
            said = told
        for name, side, count in self._sides:
            left_out = ", ".join(f"{reason} {lost:,}" for reason, lost in side.reasons.items())
            images = quantity(count, "image") if count else "images of unknown number"
            known = "" if side.encoder is not None else f"; {ENCODER_UNKNOWN}"
            lines.append(
                f"  {name}  {printable(str(side.path))}: {images}{f'; left out: {left_out}' if left_out else ''}{known}"
            )
        return lines + [f"  the files differ: {said}; a distance tells of that as well" for said in self.warnings]

    @property
    def warnings(self) -> list[str]:
        """In what the files of the two sides differ throughout, whatever they show."""
        if self.b is None or self.a.traits is None or self.b.traits is None:
            return []
        return differences(self.a.traits, self.b.traits)

    @property
    def _sides(self) -> list[tuple[str, DistanceSide, int]]:
        return [("a", self.a, self.n), *([("b", self.b, self.n_reference)] if self.b is not None else [])]


def measure_distances(
    paths: Sequence[ReadPath],
    metrics: Sequence[str],
    specs: Mapping[str, EncoderSpec],
    *,
    is_paired: bool = False,
    progress: str = "auto",
) -> SetDistance:
    """Return what set metrics say of the images at a path, against those at another where they compare two sets.

    Each image is decoded once, and embedded once by each encoder. A metric that looks at one set is told of both.

    Args:
        paths: A dataset directory, folder or array of images, or file of statistics; behind it that of the reference.
        metrics: Names of set metrics.
        specs: Encoders of what is not embedded yet, by label.
        is_paired: Whether it is declared that the images of ``a`` are versions of those of ``b``.
        progress: Display mode, see ``diptych.progress``.

    Raises:
        ConfigError: If a metric or an encoder is wrong.
        DataError: If a side cannot be read, or the two do not compare.
    """
    if not 1 <= len(paths) <= MOST_SIDES:
        raise ConfigError(f"{len(paths)} sets of images; give one, or two of which the second is the reference")
    chosen = [_known(name, has_reference=len(paths) > 1) for name in dict.fromkeys(metrics)]
    opened = open_sides(paths, list(specs.values()), progress=progress)
    results: dict[str, Result] = {}
    n, n_reference = 0, 0
    for label, *sides in zip(specs, *opened, strict=True):
        between = _Between.of(sides[0], sides[1] if len(sides) == 2 else None, is_paired=is_paired)
        for metric in chosen:
            with track(f"compute {metric.name}", None, mode=progress, unit="steps"):
                found, sizes = between.results(metric)
            n, n_reference = max(n, sizes[0]), max(n_reference, sizes[1])
            prefix = f"{label}." if len(specs) > 1 else ""
            results |= {f"{prefix}{name}": result for name, result in found.items()}
    names = [metric.name for metric in chosen]
    return SetDistance(names, results, n, n_reference, opened[0][0], opened[1][0] if len(paths) > 1 else None)


@dataclass(frozen=True)
class _Between:
    """Two sides by one encoder, or one side alone.

    Attributes:
        left: The images that are judged.
        right: The reference.
        shared: How the two depend on each other.
    """

    left: DistanceSide
    right: DistanceSide | None
    shared: Overlap | None

    @classmethod
    def of(cls, left: DistanceSide, right: DistanceSide | None, *, is_paired: bool) -> "_Between":
        if right is None:
            return cls(left, None, None)
        if left.images is not None and right.images is not None:
            right = replace(right, images=told_apart_from(left.images, right.images))
        return cls(left, right, Overlap(0, 0, DECLARED) if is_paired else _overlap(left, right))

    def results(self, metric: SetMetric[Any]) -> tuple[dict[str, Result], tuple[int, int]]:
        """Return the values of a metric by name, and of how many images they are on each side."""
        if metric.needs_reference:
            assert self.right is not None
            return self._compared(metric, self.right)
        found, n = _alone(metric, self.left)
        if self.right is None:
            return found, (n, 0)
        other, n_reference = _alone(metric, self.right)
        return found | {f"b.{name}": result for name, result in other.items()}, (n, n_reference)

    def _compared(self, metric: SetMetric[Any], right: DistanceSide) -> tuple[dict[str, Result], tuple[int, int]]:
        left, facts = self.left, {"encoder": _same_encoder(self.left, right), "reference": right.content}
        names = metric.names_in(left.encoder if left.encoder is not None and right.encoder is not None else None)
        statistics, reference = side_statistics(metric, left), side_statistics(metric, right)
        found = results_between(metric, statistics, reference, facts, self.shared)
        told = {names[name]: saying_of_unknown(result, left, right) for name, result in found.items()}
        return told, (statistics.n, reference.n)


def _alone(metric: SetMetric[Any], side: DistanceSide) -> tuple[dict[str, Result], int]:
    """Return what a metric that looks at one set says of a side."""
    statistics = side_statistics(metric, side)
    encoder = json.loads(json.dumps(side.encoder)) if side.encoder is not None else UNKNOWN_ENCODER
    found = results_between(metric, statistics, None, {"encoder": encoder}, None)
    names = metric.names_in(side.encoder)
    return {names[name]: saying_of_unknown(result, side) for name, result in found.items()}, statistics.n


def _known(given: str, *, has_reference: bool) -> SetMetric[Any]:
    """Return the set metric of a name.

    Raises:
        ConfigError: If there is none, or it compares two sets and there is one.
    """
    try:
        name = known_metric(given)
    except ConfigError as error:
        raise ConfigError(f"--metric: {error}") from error
    metric = set_metric(name)
    if metric.needs_reference and not has_reference:
        raise ConfigError(f"--metric: {name} compares two sets of images; give the reference as well")
    return metric


def _same_encoder(a: DistanceSide, b: DistanceSide) -> Mapping[str, Any] | str:
    """Return the identity of the encoder of both sides; of a side that does not say, that of the other is believed."""
    if a.encoder is not None and b.encoder is not None and fingerprint(a.encoder) != fingerprint(b.encoder):
        what = different(a.encoder, b.encoder)
        raise DataError(f"{a.path} and {b.path}: their vectors come from two encoders: {what}; embed anew")
    return encoder_of_both(a.encoder, b.encoder)


def _overlap(left: DistanceSide, right: DistanceSide) -> Overlap | None:
    return None if left.images is None or right.images is None else overlap(left.images, right.images)


def _in_words(result: Result) -> str:
    if result.reason is not None:
        return result.reason
    known = result.to_json()
    ends = f"  95 % {result.ci_low:z.6g} to {result.ci_high:z.6g}" if known["ci_low"] is not None else ""
    return f"{result.value:z.6g}{ends}" + (f"  se {result.se:.3g}" if known["se"] is not None else "")
