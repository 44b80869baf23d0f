"""An image that was found in its folder and looked at: what its place says of it, and what it says itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from diptych.generate.imported.found_images import FoundImage, PlaceReading, is_number


@dataclass(frozen=True)
class IdentifiedImage:
    """An image that was found and looked at.

    Attributes:
        found: What the layout says.
        sha256: Of its file; empty where it cannot be read.
        problem: Why it cannot be read: a status, a colon and the detail; empty where it can.
        said: What the file itself says, by columns.
        prompt: What the file itself says that it was made from; None where it does not.
        contradiction: In words, what its place and the file itself say differently; empty where they agree.
    """

    found: FoundImage
    sha256: str
    problem: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)
    prompt: str | None = None
    contradiction: str = ""

    @property
    def own(self) -> PlaceReading | None:
        """What the file itself says; None where it says no text."""
        return PlaceReading(self.said.get("prompt_id"), self.prompt, self.said.get("sample")) if self.prompt else None

    def as_read(self, reading: PlaceReading) -> "IdentifiedImage":
        """Return the image with one way alone to understand whose it is."""
        return replace(self, found=replace(self.found, readings=(reading,)), prompt=None)

    @property
    def alone(self) -> PlaceReading | None:
        """The way that counts where there is no prompt set.

        The file may know the id of the text in its name, and its text where the name is the number of a counter.
        """
        place, own = self.found.alone, self.own
        if place is None or own is None:
            return place or own
        is_of_one_text = (place.prompt_id, place.text) == (None, own.text)
        is_counter = self.found.is_supposed and is_number(place.text)
        return own if is_of_one_text or is_counter else place
