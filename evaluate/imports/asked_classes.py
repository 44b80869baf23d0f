"""What a detector's classes are called in the prompts: the same in another case is the same, and no other word is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from diptych.data.checks import Checks
from diptych.data.same_text import plain_text
from diptych.evaluate.imports.matched import first_of
from diptych.judges.contract import Box
from diptych.storage.store_path import ReadPath


@dataclass(frozen=True)
class AskedClasses:
    """The classes that prompts ask for, and those that can be found.

    Attributes:
        asked: All of the prompts.
        known: What can be found, as the prompts call it where they ask for it.
        names: Theirs -> ours, of those that are called otherwise.
    """

    asked: frozenset[str]
    known: frozenset[str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, checks: Iterable[Checks | None], labels: frozenset[str]) -> "AskedClasses":
        """Return what the classes of a detector are called in the prompts; one that may be several stays as it is."""
        asked = frozenset(label for one in checks if one is not None for label in one.labels)
        ours, theirs = _by_word(asked), _by_word(labels)
        names = {
            theirs[word][0]: ours[word][0]
            for word in ours.keys() & theirs.keys()
            if len(ours[word]) == len(theirs[word]) == 1 and ours[word] != theirs[word]
        }
        return cls(asked, frozenset(names.get(label, label) for label in labels), names)

    def called(self, box: Box) -> Box:
        """Return a box by the prompts' name of its class."""
        return replace(box, label=self.names[box.label]) if box.label in self.names else box

    def refusal(self, file: ReadPath) -> str:
        """Return in words that no prompt can be judged, as each asks for a class that cannot be found."""
        unknown = first_of(sorted(self.asked - self.known))
        return (
            f"{file}: no image can be judged by its boxes: the prompts ask for {unknown}, which are none of its "
            f"classes {first_of(sorted(self.known))}; name its classes as the prompts do"
        )


def _by_word(labels: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in labels:
        found.setdefault(plain_text(label).casefold(), []).append(label)
    return found
