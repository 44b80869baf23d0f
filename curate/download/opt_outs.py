"""What an owner says in the headers of an answer about the use of a picture, in the strictest way it can be read.

Four headers are read, each as its document gives it:

- ``X-Robots-Tag``: Google, "Robots meta tag, data-nosnippet, and X-Robots-Tag specifications", with ``noai`` and
  ``noimageai`` of DeviantArt (2022) and ``noml`` (noml.info);
- ``TDM-Reservation``: W3C community group, "TDM Reservation Protocol", 10 May 2024;
- ``Content-Signal``: contentsignals.org, draft-romm-aipref-contentsignals-00;
- ``Content-Usage``: draft-ietf-aipref-attach, with the labels of all versions of draft-ietf-aipref-vocab.

Where a header says two things the no counts, and where it can be read in two ways, the one that is a no. Decides what
is a no, not whether it is heeded.
"""

import email.utils
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

# What is not to be indexed is not to be trained on either; none stands for noindex and nofollow.
DIRECTIVES = frozenset({"noai", "noimageai", "noimageindex", "noindex", "noml", "none"})
VALUED = frozenset(
    {"max-image-preview", "max-snippet", "max-video-preview"}
)  # with a value, where a bot has directives
EXPIRY = "unavailable_after"  # noindex from then on
EVERY_BOT = frozenset({"*", "robots"})  # the meta element of the same document says robots
# What a picture of a data set is used for: all labels but search (and ai-output, which is about answers). Scores come
# from trained models, so inference (01, in 02 ai-use) is among them; in -01 search and inference are parts of tdm.
USES = "ai|ai-train|ai-use|all|bots|genai|inference|tdm|train-ai|train-genai"
REFUSED_USE = re.compile(rf"(?<![\w-])({USES})\s*[=:]\s*\"?(no?|\?0)(?![\w-])", re.I)


def refusal(fields: Iterable[tuple[str, str]], bots: Collection[str]) -> str | None:
    """Return the header with which the owner says no, ``name: value``, or None.

    >>> refusal([("X-Robots-Tag", "max-image-preview:large, otherbot: all, diptych : NOAI")], {"diptych"})
    'X-Robots-Tag: max-image-preview:large, otherbot: all, diptych : NOAI'

    Args:
        fields: Names and values of the headers of an answer.
        bots: The names, in lower case, by which we are spoken to. What is said to all bots, or to none by its name, is
            said to us as well.
    """
    for name, value in fields:
        says_no = _READERS.get(name.lower())
        if says_no is not None and says_no(value, bots):
            return f"{name}: {value}"
    return None


def _robots_say_no(value: str, bots: Collection[str]) -> bool:
    """Return whether a list of directives has one for us that says no.

    The name of a bot is surely meant for the directive behind it alone. A proxy may have joined lines of the header
    with commas (RFC 9110, 5.3), so what follows may have been said to everybody.
    """
    without_weekdays = re.sub(rf"({EXPIRY}\s*:)\s*[a-z]+,", r"\1", value, flags=re.I)  # their comma ends no item
    return any(_says_no(item, bots) for item in _items(without_weekdays))


def _says_no(item: str, bots: Collection[str]) -> bool:
    head, separator, rest = (part.strip() for part in item.lower().partition(":"))
    if DIRECTIVES.intersection(head.split()):
        return True
    if not separator or head in VALUED:
        return False
    if head == EXPIRY:
        return _has_passed(rest)
    return head.partition("/")[0] in {*EVERY_BOT, *bots} and _says_no(rest, bots)


def _has_passed(date: str) -> bool:
    """Return whether a date (RFC 822, RFC 850 or ISO 8601; UTC where no zone is given) has passed or makes no sense."""
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            when = read(date.upper())
            return (when if when.tzinfo else when.replace(tzinfo=UTC)) <= datetime.now(UTC)
        except (IndexError, OverflowError, TypeError, ValueError):
            continue
    return True


def _tdm_is_reserved(value: str, _bots: Collection[str]) -> bool:
    return any(item not in {"", "0"} for item in _items(value))


def _use_is_refused(value: str, _bots: Collection[str]) -> bool:
    return REFUSED_USE.search(value) is not None


def _items(value: str) -> list[str]:
    """Return the items of a list; no document has semicolons in one, but they are met."""
    return [item.strip("\"' \t\r\n") for item in re.split("[,;]", value)]


_READERS = {
    "x-robots-tag": _robots_say_no,
    "tdm-reservation": _tdm_is_reserved,
    "content-signal": _use_is_refused,
    "content-usage": _use_is_refused,
}
