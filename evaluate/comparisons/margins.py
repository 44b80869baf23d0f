"""Margins of the command line: ``METRIC=D``, the largest difference that counts as none."""

import math
from collections.abc import Sequence

from diptych.errors import ConfigError


def parse_margins(texts: Sequence[str]) -> dict[str, float]:
    """Return the margins by metric.

    Raises:
        ConfigError: If one is not written as ``METRIC=D`` with D above 0, or a metric has two.

    >>> parse_margins(["clip_score=0.5"])
    {'clip_score': 0.5}
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            margin = float(number)
        except ValueError:
            margin = math.nan
        if not name or not 0.0 < margin < math.inf:
            raise ConfigError(f"--margin: {text!r} is no margin; write METRIC=D with a number D above 0")
        if name in found:
            raise ConfigError(f"--margin: {name} has two margins, {found[name]:g} and {margin:g}; give one")
        found[name] = margin
    return found
