"""What a metric knows of a side that may be a file of statistics: of its vectors, or of mean and covariance alone."""

import json
from collections.abc import Mapping
from typing import Any

from diptych.errors import DataError
from diptych.evaluate.inputs.distance_side import DistanceSide
from diptych.evaluate.metrics.contract import Result, SetMetric
from diptych.evaluate.terminal import printable

UNKNOWN_ENCODER = "unknown"
ENCODER_UNKNOWN = "encoder and resize unknown"


def side_statistics(metric: SetMetric[Any], side: DistanceSide) -> Any:
    """Return the statistics that a metric has of a side.

    Raises:
        DataError: If the metric needs vectors, and the side has none.
    """
    if side.images is not None:
        return metric.statistics(side.images.vectors, side.images.units)
    if metric.from_moments is None or side.moments is None:
        raise DataError(
            f"{side.path}: holds mean and covariance alone; {metric.name} needs the images or their vectors"
        )
    return metric.from_moments(side.moments, side.is_size_known)


def encoder_of_both(known: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Mapping[str, Any] | str:
    """Return the encoder of two sides for the identity of a number; of one that does not say, the other is believed."""
    one = known if known is not None else other
    if one is None:
        return UNKNOWN_ENCODER
    encoder: Mapping[str, Any] = json.loads(json.dumps(one))
    is_of_both = known is not None and other is not None
    return encoder if is_of_both else {"of_one_side": encoder, "other_side": UNKNOWN_ENCODER}


def different(known: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return in what two encoders differ, in words; empty where they are the same."""
    names = [name for name in {**known, **other} if known.get(name) != other.get(name)]
    return ", ".join(f"{name} {known.get(name)!r} and {other.get(name)!r}" for name in names[:2])


def saying_of_unknown(result: Result, *sides: DistanceSide) -> Result:
    """Return a result that says of a side that nobody knows its encoder."""
    unknown = [printable(str(side.path)) for side in sides if side.encoder is None]
    if not unknown:
        return result
    places = ", ".join(dict.fromkeys(unknown))
    return result.cautioned(f"{ENCODER_UNKNOWN} of {places}, taken for the same as its vectors are as long")
