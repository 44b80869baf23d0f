"""Which place each image has (prompt, model and setting, number of the sample), and which places are empty.

Each place that is asked for is a row, also where no image is: a count then says of how many. What has no place stays
as a row with the reason, its bytes kept.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from diptych.data.row_states import EXTRA, MISNAMED, MISSING, UNMATCHED
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.matching import KnownPrompt, MatchedPrompt, PromptIndex
from diptych.generate.imported.model_folders import in_model_folders
from diptych.generate.imported.own_text import PromptOfImage, prompt_of_image
from diptych.generate.imported.shifted_ids import check_counting
from diptych.generate.rows import OK

CONTRADICTED = "contradicted"  # begins what ``error`` says of an image in a place of which it says another text itself
MOST_SAMPLES = 2**31  # that the column has numbers for
SUGGESTIONS = 200  # images without a prompt for which a prompt of nearly that name is looked for: the search is slow

By = tuple[str | None, str | None]  # model and setting


@dataclass(frozen=True)
class PlacedImage:
    """A row: an image with its place, one without, or a place without one.

    Attributes:
        image: What was found; None where nothing is.
        status: ``ok``, one of ``row_states``, or why the file cannot be read.
        error: The reason in words.
        said: What the row says, by columns.
    """

    image: IdentifiedImage | None
    status: str
    error: str | None
    said: Mapping[str, Any]


class AskedImages(NamedTuple):
    """What is asked for.

    Attributes:
        prompts: All prompts of which there have to be images.
        samples: Images of each; None is as many as most prompts have.
        model: The column ``model`` where an image does not say.
        setting: The column ``setting`` where an image does not say.
        of_a_set: Whether the prompts are those of a set, so that an image of none of them is a stray.
    """

    prompts: Sequence[KnownPrompt]
    samples: int | None
    model: str | None
    setting: str | None
    of_a_set: bool


class PlacedImages(NamedTuple):
    """The images of a source, placed.

    Attributes:
        rows: All rows in order.
        samples: How many images of each prompt were expected of whom.
        found_by: By what prompts were found.
        notes: In words, what is odd about all of them.
    """

    rows: list[PlacedImage]
    samples: dict[By, int]
    found_by: Counter[str]
    notes: tuple[str, ...] = ()


def place_images(images: Sequence[IdentifiedImage], asked: AskedImages) -> PlacedImages:
    """Give each image its place. Without prompts, images are rows as they come.

    Raises:
        DataError: If images are called by numbers that are surely those of their neighbours' prompts.
    """
    index = PromptIndex(asked.prompts)
    found = [prompt_of_image(image, index, asked.prompts) for image in images]
    odd = check_counting(images, found, asked.prompts) if asked.of_a_set else ""
    images = [replace(image, contradiction=one.contradiction) for image, one in zip(images, found, strict=True)]
    matches = {number: one.match for number, one in enumerate(found) if one.match is not None}
    images = in_model_folders(images, {number: asked.prompts[match.prompt] for number, match in matches.items()})
    by_whom: dict[By, dict[int, MatchedPrompt]] = defaultdict(dict)
    for number, match in matches.items():
        by_whom[_by(images[number], asked)][number] = match
    if asked.of_a_set and not by_whom:
        by_whom[asked.model, asked.setting] = {}
    tables = {by: _PlacesOfOne(by, images, given, asked) for by, given in by_whom.items()}
    over = [number for number in range(len(images)) if number not in matches]
    left = [_unmatched(images[number], asked) for number in _suggested(over, images, found, index, tables, asked)]
    rows = [row for table in tables.values() for row in table.rows()]
    found_by = Counter(str(match.by) for match in matches.values())
    samples = {by: table.samples for by, table in tables.items()}
    return PlacedImages([*rows, *left], samples, found_by, (odd,) if odd else ())


def _by(image: IdentifiedImage, asked: AskedImages) -> By:
    facts = image.found.facts
    model = facts.get("model") or asked.model or image.found.folder or image.said.get("model")
    return model, facts.get("setting") or asked.setting or image.said.get("setting")


def _suggested(
    over: Sequence[int],
    images: Sequence[IdentifiedImage],
    found: Sequence[PromptOfImage],
    index: PromptIndex,
    tables: Mapping[By, "_PlacesOfOne"],
    asked: AskedImages,
) -> list[int]:
    """Put images whose names are nearly those of prompts without an image in their places; return the others."""
    left = []
    for tried, number in enumerate(over):
        table = tables.get(_by(images[number], asked)) if asked.of_a_set else None
        free = table.free() if table is not None and tried < SUGGESTIONS else set()
        prompt = index.nearest(found[number].readings, free) if free else None
        if table is None or prompt is None:
            left.append(number)
        else:
            meant = asked.prompts[prompt]
            table.put_misnamed(images[number], prompt, f"no prompt has this name; {meant.id!r} has nearly this one")
    return left


def _unmatched(image: IdentifiedImage, asked: AskedImages) -> PlacedImage:
    """Return the row of an image that is of no prompt of the set; where there is no set, of one that is of none."""
    model, setting = _by(image, asked)
    said = {**image.said, **image.found.facts, "model": model, "setting": setting}
    if image.prompt is not None:
        said.setdefault("caption", image.prompt)
    status, error = _status_of(image)
    if status == OK and image.found.misnamed:
        status, error = MISNAMED, image.found.misnamed
    elif status == OK and asked.of_a_set:
        status, error = UNMATCHED, image.contradiction or "no prompt of the set has its name, and none its text"
    return PlacedImage(image, status, error, said)


def _status_of(image: IdentifiedImage) -> tuple[str, str | None]:
    status, _, detail = image.problem.partition(": ")
    if status:
        return status, detail or None
    return OK, f"{CONTRADICTED}: {image.contradiction}" if image.contradiction else None


class _PlacesOfOne:
    """The places of one model and setting: each prompt, so many times."""

    def __init__(
        self, by: By, images: Sequence[IdentifiedImage], found: Mapping[int, MatchedPrompt], asked: AskedImages
    ) -> None:
        self._by = by
        self._prompts = asked.prompts
        self._taken: dict[tuple[int, int], PlacedImage] = {}
        self._over: list[PlacedImage] = []
        sound = {number: match for number, match in found.items() if not images[number].found.misnamed}
        counts = Counter(match.prompt for match in sound.values())
        often = Counter(counts.values())
        self.samples = asked.samples or max(often, key=lambda count: (often[count], count), default=1)
        for number, (prompt, sample) in _numbered_samples(sound, self.samples).items():
            self._put(images[number], prompt, sample)
        for number, match in found.items():
            if number not in sound:
                self.put_misnamed(images[number], match.prompt, images[number].found.misnamed)

    def rows(self) -> Iterator[PlacedImage]:
        """Yield a row for each place in order, then those of images that have none."""
        for prompt in range(len(self._prompts)):
            for sample in range(self.samples):
                yield self._taken.get((prompt, sample)) or PlacedImage(
                    None, MISSING, "no file of this image is there", self._said(None, prompt, sample)
                )
        yield from self._over

    def free(self) -> set[int]:
        """Return the prompts of which an image is missing."""
        full = Counter(prompt for prompt, _ in self._taken)
        return {prompt for prompt in range(len(self._prompts)) if full[prompt] < self.samples}

    def put_misnamed(self, image: IdentifiedImage, prompt: int, why: str) -> None:
        """Put an image whose name is wrong in the first free place of a prompt; it is not taken for that image."""
        free = (sample for sample in range(self.samples) if (prompt, sample) not in self._taken)
        sample = next(free, None)
        row = PlacedImage(image, MISNAMED, why, self._said(image, prompt, sample))
        if sample is None:
            self._over.append(row)
        else:
            self._taken[prompt, sample] = row

    def _put(self, image: IdentifiedImage, prompt: int, sample: int) -> None:
        said, first = self._said(image, prompt, sample), self._taken.get((prompt, sample))
        if first is not None and first.image is not None:
            why = f"{first.image.found.file} has its place: sample {sample} of the prompt {self._prompts[prompt].id!r}"
            self._over.append(PlacedImage(image, EXTRA, why, said))
        elif sample >= self.samples:
            why = f"sample {sample} of the prompt {self._prompts[prompt].id!r}, where {self.samples} are asked for"
            self._over.append(PlacedImage(image, EXTRA, why, said))
        else:
            self._taken[prompt, sample] = PlacedImage(image, *_status_of(image), said)

    def _said(self, image: IdentifiedImage | None, prompt: int, sample: int | None) -> dict[str, Any]:
        known = self._prompts[prompt]
        model, setting = self._by
        own = {**image.said, **image.found.facts} if image is not None else {}
        asked = {"prompt_id": known.id, "model": model, "setting": setting, "sample": sample}
        return {**own, **known.said, **asked, "caption": known.text}


def _numbered_samples(found: Mapping[int, MatchedPrompt], samples: int) -> dict[int, tuple[int, int]]:
    """Return prompt and sample of each image by its number; samples count from 0.

    The numbers in names count where they begin with 0 or 1 and each image has one; else, as with seeds or times in
    their place, the images of a prompt are counted in the order of their names. So are those of a program that counts
    over all prompts.
    """
    given = [match.sample for match in found.values() if match.sample is not None]
    first = min(given, default=2)
    is_counted = first <= 1 and len(given) == len(found) and max(given) - first < MOST_SAMPLES
    if is_counted and not _is_one_count(found, first + samples):
        return {number: (match.prompt, (match.sample or 0) - first) for number, match in found.items()}
    counts: Counter[int] = Counter()
    numbered = {}
    for number, match in found.items():
        numbered[number] = (match.prompt, counts[match.prompt])
        counts[match.prompt] += 1
    return numbered


def _is_one_count(found: Mapping[int, MatchedPrompt], end: int) -> bool:
    """Return whether numbers count over all prompts: no number is there twice, and most are none of a sample."""
    given = [match.sample or 0 for match in found.values()]
    is_of_several = len({match.prompt for match in found.values()}) > 1
    return is_of_several and len(set(given)) == len(given) and 2 * sum(number >= end for number in given) >= len(given)
