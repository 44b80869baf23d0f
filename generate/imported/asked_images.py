"""What an import asks for: the prompts of a set, or those that the places of the images name."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Any, NamedTuple

from diptych.data.checks import NOTHING
from diptych.data.generated_columns import BENCHMARK, CATEGORY
from diptych.data.prompt_sets import KIND, REWRITTEN, SOURCE, UNNAMED, prompt_set_facts
from diptych.data.same_text import plain_text
from diptych.generate.backends.asked import AskedPrompt, Request
from diptych.generate.carried_columns import CellType, carried_types
from diptych.generate.chosen_prompts import choose_prompts
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.found_images import PlaceReading, SourceFolder
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.layouts import ChosenLayout
from diptych.generate.imported.matching import KnownPrompt
from diptych.generate.imported.own_text import SHOWN
from diptych.generate.imported.placing import AskedImages
from diptych.generate.prompts import Prompt, PromptSet
from diptych.progress.wording import quantity

ID_DIGITS = 12
IMAGES = "the images themselves"  # where prompts are from that nobody else tells
OF_PROMPTS = ("caption", "checks", BENCHMARK, CATEGORY)  # facts of an image that are its prompt's


class ChosenSet(NamedTuple):
    """The prompt set that images were made from, those of its prompts that are asked for, and their further columns."""

    label: str
    kind: str
    source: PromptSet
    prompts: tuple[Prompt, ...]
    columns: dict[str, CellType]

    @property
    def facts(self) -> dict[str, Any]:
        """What a manifest says of it."""
        found = self.source
        return {self.label: prompt_set_facts(self.kind, found.source, found.licence, found.sha256)}


def chosen_set(config: ImportConfig) -> ChosenSet | None:
    """Return the prompt set that a config names, if it names one.

    Raises:
        DiptychError: If it cannot be had.
    """
    choice = config.prompts
    if choice is None:
        return None
    found, chosen = choose_prompts(choice, f"prompts ({choice.label})")
    prompts = tuple(prompt for _, prompt in chosen)
    asked = [AskedPrompt(0, (Request(choice.label, prompt, 1),)) for prompt in prompts]
    return ChosenSet(choice.label, choice.kind, found, prompts, carried_types(asked))


def asked_of_set(config: ImportConfig, chosen: ChosenSet) -> AskedImages:
    """Return what is asked for where the prompt set is known: each prompt of it."""
    prompts = [KnownPrompt(prompt.id, prompt.text, _said_of(prompt, chosen.label)) for prompt in chosen.prompts]
    samples = config.samples or (config.prompts.samples if config.prompts else None)
    return AskedImages(prompts, samples, config.model, config.setting, of_a_set=True)


def asked_of_places(
    config: ImportConfig, source: SourceFolder, layout: ChosenLayout, images: Sequence[IdentifiedImage]
) -> tuple[AskedImages, list[IdentifiedImage]]:
    """Return what is asked for where no prompt set is known: each prompt that an image names, and the images, matched.

    Images of one id and one text are of one prompt; one id with several texts is several prompts. A prompt without an
    id is known by a hash of its text, so that another image beside it changes no id.
    """
    known: dict[tuple[str, str], KnownPrompt] = {}
    benchmark = layout.layout.benchmark or UNNAMED
    matched = []
    for image in images:
        reading = image.alone
        if reading is not None:
            facts = {**image.said, **_surer(image.found.facts, image.said)}
            text = reading.text if reading.text is not None else facts.get("caption")
            prompt_id = _noted(known, reading._replace(text=text), {BENCHMARK: benchmark, **facts})
            image = image.as_read(reading._replace(prompt_id=prompt_id, text=text))
        matched.append(image)
    for unseen in layout.layout.unseen(source):
        if unseen.alone is not None:
            _noted(known, unseen.alone, {BENCHMARK: benchmark, **unseen.facts})
    prompts = _without_unread(known.values())
    asked = AskedImages(prompts, config.samples, config.model, config.setting, of_a_set=False)
    return asked, matched


def _surer(of_place: Mapping[str, Any], of_file: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a place says of an image, without a set that is guessed from words where the file names one."""
    is_guess = str(of_place.get(BENCHMARK, "")).endswith(REWRITTEN) and BENCHMARK in of_file
    return {name: value for name, value in of_place.items() if name != BENCHMARK or not is_guess}


def _noted(known: dict[tuple[str, str], KnownPrompt], reading: PlaceReading, facts: Mapping[str, Any]) -> str:
    """Note a prompt among those that are known, and return its id."""
    prompt_id = reading.prompt_id or hashlib.blake2b((reading.text or "").encode()).hexdigest()[:ID_DIGITS]
    said = {name: facts[name] for name in OF_PROMPTS[1:] if name in facts}
    key = prompt_id, plain_text(reading.text or "")
    before = known.get(key, KnownPrompt(prompt_id, reading.text, said))
    categories = dict.fromkeys([*before.said.get(CATEGORY, ()), *said.get(CATEGORY, ())])
    known[key] = replace(before, said={**before.said, CATEGORY: list(categories)})
    return prompt_id


def _without_unread(prompts: Iterable[KnownPrompt]) -> list[KnownPrompt]:
    """Return prompts without those of no text whose id one alone of the others has: images of these are of that one."""
    given = list(prompts)
    told = Counter(prompt.id for prompt in given if prompt.text is not None)
    return [prompt for prompt in given if prompt.text is not None or told[prompt.id] != 1]


def texts_note(prompts: Sequence[KnownPrompt]) -> str:
    """Return in words that prompts have one id and several texts; empty where none have."""
    counts = Counter(prompt.id for prompt in prompts)
    several = [name for name, many in counts.items() if many > 1]
    if not several:
        return ""
    first = " and ".join(
        repr(shorten(prompt.text or "", SHOWN, placeholder="...")) for prompt in prompts if prompt.id == several[0]
    )
    return (
        f"{quantity(len(several), 'id')} with several texts, each of which is a prompt of its own: "
        f"{several[0]!r} is {first}"
    )


def told_sets(prompts: Sequence[KnownPrompt]) -> dict[str, Any]:
    """Return what a manifest says of the sets of prompts that images name: which there are, not whose they are.

    Rewritten prompts are of the kind of those that they are rewritten from, and known to be nobody's.
    """
    labels = dict.fromkeys(str(prompt.said[BENCHMARK]) for prompt in prompts)
    return {
        label: {KIND: kind} if (kind := label.removesuffix(REWRITTEN)) == label else {KIND: kind, SOURCE: IMAGES}
        for label in labels
    }


def _said_of(prompt: Prompt, label: str) -> dict[str, Any]:
    return {
        BENCHMARK: label,
        CATEGORY: list(prompt.categories),
        "checks": prompt.checks.to_json(),
        "input_images": [image.name for image in prompt.images],
        **prompt.columns,
    }


def said_of_nobody() -> dict[str, Any]:
    """Return what a row says in the columns of a prompt that nobody knows more of."""
    return {CATEGORY: [], "checks": NOTHING.to_json(), "input_images": []}
