"""What an import asks for: the prompts of a set, or those that the places of the images name."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from diptych.data.checks import NOTHING
from diptych.data.generated_columns import BENCHMARK, CATEGORY
from diptych.data.prompt_sets import prompt_set_facts
from diptych.generate.backends.asked import AskedPrompt, Request
from diptych.generate.carried_columns import CellType, carried_types
from diptych.generate.chosen_prompts import choose_prompts
from diptych.generate.imported.config import ImportConfig
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.layouts import ChosenLayout
from diptych.generate.imported.matching import KnownPrompt
from diptych.generate.imported.placing import AskedImages
from diptych.generate.prompts import Prompt, PromptSet

ID_DIGITS = 12
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
    config: ImportConfig, layout: ChosenLayout, images: Sequence[IdentifiedImage]
) -> tuple[AskedImages, list[IdentifiedImage]]:
    """Return what is asked for where no prompt set is known: each prompt that an image names, and the images, matched.

    A prompt without an id is known by a hash of its text, so that another image beside it changes no id.
    """
    known: dict[str, KnownPrompt] = {}
    matched = []
    for image in images:
        reading = image.alone
        if reading is None:
            matched.append(image)
            continue
        facts = {**image.said, **image.found.facts}
        text = reading.text if reading.text is not None else facts.get("caption")
        prompt_id = reading.prompt_id or hashlib.blake2b((text or "").encode()).hexdigest()[:ID_DIGITS]
        said = {name: facts[name] for name in OF_PROMPTS[1:] if name in facts}
        said.setdefault(BENCHMARK, layout.layout.benchmark or config.name)
        known.setdefault(prompt_id, KnownPrompt(prompt_id, text, said))
        matched.append(image.as_read(reading._replace(prompt_id=prompt_id)))
    asked = AskedImages(list(known.values()), config.samples, config.model, config.setting, of_a_set=False)
    return asked, matched


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
