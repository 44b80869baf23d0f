"""Which prompt an image is of where its place says one thing and the text in the image itself may say another.

A program that counts its images calls them ``00003-13.png`` whatever they are of. So the number that a name begins with
is the id of a prompt only where the image does not say another text; what a layout, a table or a text in a name says
stays, and the contradiction is said. So is that of an id in a table with the text in it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from diptych.generate.imported.found_images import PlaceReading, is_number
from diptych.generate.imported.identified_images import IdentifiedImage
from diptych.generate.imported.matching import KnownPrompt, MatchedPrompt, PromptIndex, letters_of

SHOWN = 60  # letters of a text in a message


class PromptOfImage(NamedTuple):
    """What an image is of.

    Attributes:
        match: The prompt of the set; None where it is of none.
        readings: The ways to understand its place and its text that count.
        contradiction: In words, what its place and its text say differently; empty where they agree.
    """

    match: MatchedPrompt | None
    readings: tuple[PlaceReading, ...]
    contradiction: str = ""


def prompt_of_image(image: IdentifiedImage, index: PromptIndex, prompts: Sequence[KnownPrompt]) -> PromptOfImage:
    """Return which of some prompts an image is of: by its place first, then by what the file itself says."""
    found, told = _prompt_of(image, index, prompts), image.found.told
    if told is None or found.match is None:
        return found
    said, meant = index.find([PlaceReading(text=told.text)]), prompts[found.match.prompt]
    if _is_text(told.text, meant) or (said is not None and said.prompt == found.match.prompt):
        return found
    known = f"and the prompt {meant.id!r} is {_shown(meant.text or '')}"
    other = f"the text of the prompt {prompts[said.prompt].id!r}, {known}" if said is not None else known
    says = f"{told.by} says {_shown(told.text)}, {other}"
    return found._replace(contradiction="; ".join(filter(None, (says, found.contradiction))))


def _prompt_of(image: IdentifiedImage, index: PromptIndex, prompts: Sequence[KnownPrompt]) -> PromptOfImage:
    place, own = image.found.readings, image.own
    if own is None:
        return PromptOfImage(index.find(place), place)
    text = own._replace(prompt_id=None)
    counters = [one for one in place if image.found.is_supposed and is_number(one.prompt_id)]
    others = [one for one in counters if (found := index.find([one])) and not _holds(own.text, prompts[found.prompt])]
    readings = (*(one for one in place if one not in others), text)
    match = index.find(readings)
    shown = f"the image itself says {_shown(own.text or '')}"
    if match is None and others:
        numbers = " or ".join(repr(one.prompt_id) for one in others)
        return PromptOfImage(None, readings, f"its name has the number {numbers} of a prompt, and {shown}")
    said = index.find([text])
    if match is not None and said is not None and not _is_text(own.text, prompts[match.prompt]):
        return PromptOfImage(match, readings, f"{shown}, the text of the prompt {prompts[said.prompt].id!r}")
    return PromptOfImage(match, readings)


def _holds(text: str | None, prompt: KnownPrompt) -> bool:
    """Return whether a text is that of a prompt, perhaps with more around it; one whose text nobody knows may be."""
    return letters_of(prompt.text or "") in letters_of(text or "")


def _is_text(text: str | None, prompt: KnownPrompt) -> bool:
    return prompt.text is None or letters_of(prompt.text) == letters_of(text or "")


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
