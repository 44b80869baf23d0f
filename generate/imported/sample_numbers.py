"""Which of the images of its prompt each image is: by the numbers in names where they count samples, else in order."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from diptych.generate.imported.matching import MatchedPrompt

MOST_SAMPLES = 2**31  # that the column has numbers for


class SamplesOfImages(NamedTuple):
    """Prompt and sample of each image by its number, and whether the numbers in their names say so."""

    places: dict[int, tuple[int, int]]
    is_told: bool


def numbered_samples(found: Mapping[int, MatchedPrompt], samples: int) -> SamplesOfImages:
    """Return which sample of its prompt each image is; samples count from 0.

    The numbers in names count where they begin with 0 or 1 and each image has one; else, as with seeds or times in
    their place, the images of a prompt are counted in the order of their names. So are those of a program that counts
    over all prompts.
    """
    given = [match.sample for match in found.values() if match.sample is not None]
    first = min(given, default=2)
    is_counted = first <= 1 and len(given) == len(found) and max(given) - first < MOST_SAMPLES
    if is_counted and not _is_one_count(found, first + samples):
        places = {number: (match.prompt, (match.sample or 0) - first) for number, match in found.items()}
        return SamplesOfImages(places, True)
    counts: Counter[int] = Counter()
    numbered = {}
    for number, match in found.items():
        numbered[number] = (match.prompt, counts[match.prompt])
        counts[match.prompt] += 1
    return SamplesOfImages(numbered, False)


def _is_one_count(found: Mapping[int, MatchedPrompt], end: int) -> bool:
    """Return whether numbers count over all prompts: no number is there twice, and most are none of a sample."""
    given = [match.sample or 0 for match in found.values()]
    is_of_several = len({match.prompt for match in found.values()}) > 1
    return is_of_several and len(set(given)) == len(given) and 2 * sum(number >= end for number in given) >= len(given)
