"""When two images answer the same prompt: where their prompts have one name and one text.

The name is what a prompt set is called (``benchmark``) and the prompt's id in it (``prompt_id``); files of a kind have
one name for others by default, ids of tables begin again in each, and a rewritten prompt keeps its number. Text counts
where a dataset tells of the set in its manifest, as all do that were generated or imported: there the caption is what
was asked for. Elsewhere, as in pairs from the web, it may be any text, and the name alone has to do.
"""

from collections.abc import Hashable, Iterable, MutableMapping
from typing import TypeVar

from diptych.data.same_text import plain_text

Name = TypeVar("Name", bound=Hashable)  # what a prompt is called


def texts_apart(prompts: Iterable[tuple[Name, str | None]], first: MutableMapping[Name, str]) -> list[str | None]:
    """Return of each image the text of its prompt where its name alone stands for another one; None elsewhere.

    A name alone stands for the text that has it first. Whitespace and how signs are composed make no other text.

    Args:
        prompts: Name and text of each image's prompt; None where nobody tells the text, and the name has to do.
        first: What names stand for already; those of the images are added.

    >>> known = {}
    >>> texts_apart([("1", "a dog"), ("1", "a castle"), ("2", None)], known), texts_apart([("1", "a  dog")], known)
    ([None, 'a castle', None], [None])
    """
    found: list[str | None] = []
    for name, text in prompts:
        plain = None if text is None else plain_text(text)
        found.append(None if plain is None or first.setdefault(name, plain) == plain else plain)
    return found
