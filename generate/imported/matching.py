"""Which prompt of a set an image is of: by its id, by its text, or by what of its text the name of a file has.

That is the text but for the signs that no name can have, or its letters and digits alone.

Nothing is guessed: what could be two prompts is none.
"""

import difflib
import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from diptych.data.letters import letters_in
from diptych.data.numbered_ids import NumberedIds
from diptych.data.same_text import plain_text
from diptych.generate.imported.found_images import PlaceReading

MIN_BEGINNING = 40  # letters that a cut name has to share with a prompt, to be its beginning
NO_NAME = re.compile(r'[\s_/\\:*?"<>|]+')  # what programs write "_" for in the name of a file, and "_" itself
ALIKE = 0.85  # of two names, by difflib's ratio, for one to be meant by the other

MatchedBy = Literal["id", "text", "letters"]


@dataclass(frozen=True)
class KnownPrompt:
    """A prompt that images may be of.

    Attributes:
        id: Within its set.
        text: None where nobody says it.
        said: What rows say of it beside id and text, by columns.
    """

    id: str
    text: str | None
    said: Mapping[str, Any] = field(default_factory=dict)


class MatchedPrompt(NamedTuple):
    """The number of a prompt in its set, which of its images it is (None: nobody says), and by what it was found."""

    prompt: int
    sample: int | None
    by: MatchedBy


class PromptIndex:
    """The prompts of a set, to be found."""

    def __init__(self, prompts: Sequence[KnownPrompt]) -> None:
        """Look at the prompts."""
        numbered = list(enumerate(prompts))
        self._by_id: dict[str, list[int]] = defaultdict(list)
        for number, prompt in numbered:
            self._by_id[prompt.id].append(number)
        self._texts = [plain_text(prompt.text or "") for prompt in prompts]
        self._ids = NumberedIds(self._by_id)
        self._by_text = _unique((text, number) for number, text in enumerate(self._texts))
        self._by_name = _unique((_named(prompt.text), number) for number, prompt in numbered)
        self._by_letters = _unique((letters_of(prompt.text or ""), number) for number, prompt in numbered)
        self._sorted = sorted(key for key in self._by_letters if key)
        self._names = {prompt.id: number for number, prompt in numbered}
        self._names |= {prompt.text: number for number, prompt in numbered if prompt.text}

    def find(self, readings: Iterable[PlaceReading]) -> MatchedPrompt | None:
        """Return the prompt that one of some readings names; what is exact goes before what is not."""
        given = list(readings)
        for way in (self._exactly, self._by_its_name, self._by_its_letters):
            for reading in given:
                found = way(reading)
                if found is not None:
                    return found
        return None

    def nearest(self, readings: Iterable[PlaceReading], among: Iterable[int]) -> int | None:
        """Return the prompt, of some, whose id or text is nearly what a reading says; None unless it is one alone."""
        wanted = set(among)
        names = [name for name, number in self._names.items() if number in wanted]
        said = {text for reading in readings for text in (reading.prompt_id, reading.text) if text}
        found = {self._names[name] for text in said for name in difflib.get_close_matches(text, names, 2, ALIKE)}
        return found.pop() if len(found) == 1 else None

    def _exactly(self, reading: PlaceReading) -> MatchedPrompt | None:
        if reading.prompt_id is not None:
            meant = self._ids.find(reading.prompt_id)
            of_id = self._by_id[meant] if meant is not None else []
            if len(of_id) > 1:  # of several texts that images say, and not of a set
                of_id = [number for number in of_id if self._texts[number] == plain_text(reading.text or "")]
            return MatchedPrompt(of_id[0], reading.sample, "id") if len(of_id) == 1 else None
        number = self._by_text.get(plain_text(reading.text)) if reading.text else None
        return None if number is None else MatchedPrompt(number, reading.sample, "text")

    def _by_its_name(self, reading: PlaceReading) -> MatchedPrompt | None:
        number = self._by_name.get(_named(reading.text))
        return None if number is None else MatchedPrompt(number, reading.sample, "letters")

    def _by_its_letters(self, reading: PlaceReading) -> MatchedPrompt | None:
        letters = letters_of(reading.text or "")
        number = self._by_letters.get(letters) if letters else None
        if number is None and len(letters) >= MIN_BEGINNING:
            begun = list(self._beginning_with(letters))
            number = self._by_letters[begun[0]] if len(begun) == 1 else None
        return None if number is None else MatchedPrompt(number, reading.sample, "letters")

    def _beginning_with(self, letters: str) -> Iterator[str]:
        for place in range(bisect_left(self._sorted, letters), len(self._sorted)):
            if not self._sorted[place].startswith(letters):
                return
            yield self._sorted[place]


def letters_of(text: str) -> str:
    """Return the letters and digits of a text in small letters, which survive in the name of a file.

    >>> letters_of("A photo of: a cat's bed!"), letters_of("a_photo_of_a_cat_s_bed")
    ('aphotoofacatsbed', 'aphotoofacatsbed')
    """
    return "".join(letters_in(unicodedata.normalize("NFKC", text).casefold()).split())


def _named(text: str | None) -> str:
    return NO_NAME.sub(" ", unicodedata.normalize("NFC", text or "")).strip()


def _unique(pairs: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    """Return the pairs whose key stands once and is not empty."""
    given = [(key, number) for key, number in pairs if key is not None and key != ""]
    counts = Counter(key for key, _ in given)
    return {key: number for key, number in given if counts[key] == 1}
