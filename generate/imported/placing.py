"""Which place each image has (prompt, model and setting, number of the sample), and which places are empty.

Each place that is asked for is a row, also where no image is: a count then says of how many. What has no place stays
as a row with the reason, its bytes kept.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from diptych.data.generated_columns import BENCHMARK
from diptych.data.prompt_sets import UNNAMED
from diptych.data.row_states import EXTRA, MISNAMED, MISSING, UNMATCHED
from diptych.errors import DataError
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.matching import KnownPrompt, MatchedPrompt, PromptIndex
from diptych.generate.imported.model_folders import in_model_folders
from diptych.generate.imported.own_text import PromptOfImage, prompt_of_image
from diptych.generate.imported.sample_numbers import numbered_samples
from diptych.generate.imported.shifted_ids import check_counting
from diptych.generate.rows import OK

CONTRADICTED = "contradicted"  # begins what ``error`` says of an image in a place of which it says another text itself
MODELS_SHOWN = 4  # folders that a message names
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
        prompts: Those that images name, where there is no set.
    """

    rows: list[PlacedImage]
    samples: dict[By, int]
    found_by: Counter[str]
    notes: tuple[str, ...] = ()
    prompts: Sequence[KnownPrompt] = ()


def place_images(images: Sequence[IdentifiedImage], asked: AskedImages) -> PlacedImages:
    """Give each image its place. Without prompts, images are rows as they come.

    Raises:
        DataError: If images are called by numbers that are surely those of their neighbours' prompts, or one model is
            told for the folders of several.
    """
    index = PromptIndex(asked.prompts)
    found = [prompt_of_image(image, index, asked.prompts) for image in images]
    odd = check_counting(images, found, asked.prompts) if asked.of_a_set else ""
    images = [replace(image, contradiction=one.contradiction) for image, one in zip(images, found, strict=True)]
    matches = {number: one.match for number, one in enumerate(found) if one.match is not None}
    images = in_model_folders(images, {number: asked.prompts[match.prompt] for number, match in matches.items()})
    _check_one_model(images, matches, asked)
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


def _check_one_model(
    images: Sequence[IdentifiedImage], matches: Mapping[int, MatchedPrompt], asked: AskedImages
) -> None:
    """Raise where one model is told for folders of which each has images of the same prompts and numbers."""
    if asked.model is None:
        return
    folders: dict[tuple[int, int], set[str]] = defaultdict(set)
    for number, match in matches.items():
        found = images[number].found
        if match.sample is not None and found.folder is not None and not found.facts.get("model"):
            folders[match.prompt, match.sample].add(found.folder)
    twice = [some for some in folders.values() if len(some) > 1]
    if twice and 2 * len(twice) >= len(folders):
        shown = ", ".join(sorted(set[str]().union(*twice))[:MODELS_SHOWN])
        raise DataError(
            f"model: {asked.model!r} is told for the images of several folders ({shown}), which have the same prompts "
            f"and numbers; leave --model out, so that each folder is a model, or import each by itself"
        )


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
        self._asked = range(len(asked.prompts)) if asked.of_a_set else _asked_of_one(asked.prompts, counts)
        self._many: Mapping[int, int] = {}
        numbered = numbered_samples(sound, self.samples)
        if (
            asked.samples is None and not asked.of_a_set and not numbered.is_told
        ):  # nobody says how many there should be
            self._many = counts
            if counts and 2 * often[self.samples] <= len(counts):
                self.samples = min(counts.values())
        for number, (prompt, sample) in numbered.places.items():
            self._put(images[number], prompt, sample)
        for number, match in found.items():
            if number not in sound:
                self.put_misnamed(images[number], match.prompt, images[number].found.misnamed)

    def rows(self) -> Iterator[PlacedImage]:
        """Yield a row for each place in order, then those of images that have none."""
        for prompt in self._asked:
            for sample in range(self._samples_of(prompt)):
                yield self._taken.get((prompt, sample)) or PlacedImage(
                    None, MISSING, "no file of this image is there", self._said(None, prompt, sample)
                )
        yield from self._over

    def free(self) -> set[int]:
        """Return the prompts of which an image is missing."""
        full = Counter(prompt for prompt, _ in self._taken)
        return {prompt for prompt in self._asked if full[prompt] < self.samples}

    def _samples_of(self, prompt: int) -> int:
        return max(self.samples, self._many.get(prompt, 0))

    def put_misnamed(self, image: IdentifiedImage, prompt: int, why: str) -> None:
        """Put an image whose name is wrong in the first free place of a prompt; it is not taken for that image."""
        free = (sample for sample in range(self._samples_of(prompt)) if (prompt, sample) not in self._taken)
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
        elif sample >= self._samples_of(prompt):
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


def _asked_of_one(prompts: Sequence[KnownPrompt], counts: Mapping[int, int]) -> list[int]:
    """Return what a model was asked for where nobody says the set: its own prompts, and those of others that it lacks.

    It lacks those of a benchmark whose layout it has, or of prompts without a name of which it has more than half, but
    for another text of an id that it has, as where each model has prompts that were rewritten for it.
    """
    names = [(prompt.said.get(BENCHMARK), prompt.id) for prompt in prompts]
    own = {names[number] for number in counts}
    sets = Counter(label for label, _ in set(names))
    has = Counter(label for label, _ in own)
    lacked = {name: number for number, name in reversed(list(enumerate(names))) if name not in own}
    return [
        number
        for number, name in enumerate(names)
        if number in counts or (lacked.get(name) == number and _is_asked_for_all(name[0], has, sets))
    ]


def _is_asked_for_all(label: str | None, has: Mapping[Any, int], sets: Mapping[Any, int]) -> bool:
    return 2 * has[label] > sets[label] if label == UNNAMED else has[label] > 0
