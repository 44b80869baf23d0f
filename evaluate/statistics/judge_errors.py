"""The share of images that are right, from the share that a judge calls right, where its errors are known.

A judge that calls 95 % of the right images right and 10 % of the wrong ones gives a share that is off, by more the
fewer images are right. How often it errs is known from images about which somebody knows the truth; that those are not
many is part of the interval.
"""

from math import sqrt
from typing import NamedTuple

from diptych.intervals import NORMAL_95, ShareEstimate


class JudgeCheck(NamedTuple):
    """What is known of a judge.

    Attributes:
        called_right: Of images that are right, how many it calls right.
        right: How many those are.
        called_wrong: Of images that are wrong, how many it calls wrong.
        wrong: How many those are.
    """

    called_right: int
    right: int
    called_wrong: int
    wrong: int


def corrected_share(share: float, n: float, check: JudgeCheck) -> ShareEstimate:
    """Return the share of right images, in [0, 1], with its interval of 95 percent.

    The value is Rogan and Gladen's, (share + specificity - 1) / (sensitivity + specificity - 1), cut at 0 and 1 (1978,
    American Journal of Epidemiology 107, 71); the interval Lang and Reiczigel's, which knows that sensitivity and
    specificity are estimates (2014, Preventive Veterinary Medicine 113, 13). A judge that is no better than chance
    tells nothing: the value is NaN then, and the interval from 0 to 1.

    Args:
        share: Of images that the judge calls right, in [0, 1].
        n: How many independent images that share is worth, above 0.
        check: What is known of the judge.

    >>> found = corrected_share(0.6, 1000.0, JudgeCheck(95, 100, 80, 100))
    >>> [round(one, 4) for one in found[:3]]
    [0.5333, 0.4594, 0.6045]
    """
    sensitivity, specificity = check.called_right / check.right, check.called_wrong / check.wrong
    better_than_chance = sensitivity + specificity - 1.0
    ends = _ends(share, n, check)
    if better_than_chance <= 0.0 or ends is None:
        return ShareEstimate(float("nan"), 0.0, 1.0, round(n))
    value = _cut((share + specificity - 1.0) / better_than_chance)
    return ShareEstimate(value, min(ends[0], value), max(ends[1], value), round(n))


def _ends(share: float, n: float, check: JudgeCheck) -> tuple[float, float] | None:
    """Return the ends of the interval; None where the judge, with two images more of each kind, is at chance."""
    z = NORMAL_95
    total = n + z**2
    seen = (share * n + z**2 / 2.0) / total
    right, wrong = check.right + 2, check.wrong + 2
    sensitivity, specificity = (check.called_right + 1) / right, (check.called_wrong + 1) / wrong
    better_than_chance = sensitivity + specificity - 1.0
    if better_than_chance <= 0.0:
        return None
    truly = _cut((seen + specificity - 1.0) / better_than_chance)
    of_right, of_wrong = sensitivity * (1.0 - sensitivity) / right, specificity * (1.0 - specificity) / wrong
    shift = 2.0 * z**2 * (truly * of_right - (1.0 - truly) * of_wrong)
    variance = seen * (1.0 - seen) / total + truly**2 * of_right + (1.0 - truly) ** 2 * of_wrong
    half = z * sqrt(variance) / better_than_chance
    return _cut(truly + shift - half), _cut(truly + shift + half)


def _cut(share: float) -> float:
    return min(max(share, 0.0), 1.0)
