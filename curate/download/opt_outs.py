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
NO = r"no?|false|disallow|\?0|0"  # what is met, beside the n and no of the documents
REFUSED_USE = re.compile(rf"(?<![\w-])({USES.replace('-', '[-_]')})\s*[=:]\s*[\"'(]*({NO})(?![\w-])", re.I)

# What is glued to a word, as brackets or a no-break space, is none of it.
_WORD = re.compile(r"[\w-]+|\*", re.ASCII)

# Commas that end no item: behind a weekday, and before the year as in June 25, 2030.
_EXPIRY_START = re.compile(
    r"unavailable[-_]after\s*[:=\s]\s*(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,)?(?:([\w .-]{1,20}),(?=\s*\d{4}))?",
    re.I,
)
# As documented it is 0; the other spellings of that are met, and so are parameters behind it.
_NOT_RESERVED = re.compile(r"[\"']?(\??0+(\.0+)?|no?|false|)[\"']?")
_PARAMETER = re.compile(r"([\w-]+ ?=.*|)", re.S)


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
    plain = _EXPIRY_START.sub(rf"{EXPIRY}:\1 ", value)
    return any(_says_no(item.lower(), bots) for item in _items(plain))


def _says_no(item: str, bots: Collection[str]) -> bool:
    """Return whether ``a b: c`` has a no among ``a`` and ``b``, or among ``c`` where that is said to us or to all."""
    while item:
        head, *rest = re.split("[:=]", item, maxsplit=1)
        item = rest[0].strip() if rest else ""
        words = _WORD.findall(head)
        if DIRECTIVES.intersection(words):
            return True
        if EXPIRY in words:
            return not DIRECTIVES.isdisjoint(_WORD.findall(item)) or _has_passed(item)
        if VALUED.intersection(words[-1:]):
            item = " ".join(item.split()[1:])  # the value says nothing, what follows it may
        elif {*EVERY_BOT, *bots}.isdisjoint([*words, *(word.partition("/")[0] for word in head.split())]):
            return False
    return False


def _has_passed(date: str) -> bool:
    """Return whether a date (RFC 822, RFC 850 or ISO 8601; UTC where no zone is given) has passed or makes no sense."""
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime, _iso_with_a_zone_apart, _day_alone):
        try:
            when = read(date.upper())
            return (when if when.tzinfo else when.replace(tzinfo=UTC)) <= datetime.now(UTC)
        except (IndexError, OverflowError, TypeError, ValueError):
            continue
    return True


def _iso_with_a_zone_apart(text: str) -> datetime:
    """Read ``2030-06-25 15:00:00 PST``; a zone without a known name counts as none."""
    time, _, zone = text.rpartition(" ")
    return datetime.fromisoformat(time).replace(
        tzinfo=email.utils.parsedate_to_datetime(f"1 Jan 2000 0:00 {zone}").tzinfo
    )


def _day_alone(text: str) -> datetime:
    """Read ``25 Jun 2030`` and ``June 25 2030`` as the first moment of that day."""
    return email.utils.parsedate_to_datetime(f"{text} 00:00:00")


def _tdm_is_reserved(value: str, _bots: Collection[str]) -> bool:
    for item in value.lower().split(","):
        said, *parameters = (part.strip() for part in item.split(";"))
        if not (_NOT_RESERVED.fullmatch(said) and all(_PARAMETER.fullmatch(part) for part in parameters)):
            return True
    return False


def _use_is_refused(value: str, _bots: Collection[str]) -> bool:
    return REFUSED_USE.search(value) is not None


def _items(value: str) -> list[str]:
    """Return the items of a list; no document has semicolons or bars in one, but they are met."""
    return [item.strip("\"' \t\r\n") for item in re.split("[,;|]", value)]


_READERS = {
    "x-robots-tag": _robots_say_no,
    "tdm-reservation": _tdm_is_reserved,
    "content-signal": _use_is_refused,
    "content-usage": _use_is_refused,
}
