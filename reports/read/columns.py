"""What a row of a report says of itself: which columns, what they are called, and how the gallery has them.

A row may be curated, generated or a reference; a source that does not know a column leaves it empty.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from diptych.data.generated_columns import columns_of, generated_columns, shown_as
from diptych.reports.read.numbers import plain_name
from diptych.store.images import PLACE

SOURCE = ("dataset", "key", "caption", "url", "width", "height", "format", "sha256", "status", "error")
DECIDED = ("decision", "duplicate_of")  # of a pool
PICTURE = "picture"  # the facet that says whether a picture is shown or blurred; nothing where there is none
AUDIT = "audit"  # the facet that says of the images that the audit is about whether it could judge them

OURS = (*DECIDED, PICTURE, AUDIT)  # what a report alone says of a row; a store that has such a name means its data's

LABELS = {
    "duplicate_of": "Copy of",
    "sha256": "SHA-256",
    "shard_row": "Row in shard",
    "url": "Source",
}


def row_columns() -> tuple[str, ...]:
    """Return the names of all columns."""
    return (*SOURCE, *generated_columns(), *PLACE, *DECIDED)


def further_names(names: Sequence[str]) -> dict[str, str]:
    """Return what further columns of a source are called here: by their names, or as ingest calls one that is taken.

    >>> further_names(["licence", "model", "picture"])
    {'licence': 'licence', 'model': 'source_model', 'picture': 'source_picture'}
    >>> further_names(["model", "source_model"])
    {'source_model': 'source_model', 'model': 'source_source_model'}
    """
    ours = {*row_columns(), *OURS}
    found = {name: name for name in names if name not in ours}
    for name in names:
        own = name
        while own in ours or own in found.values():
            own = f"source_{own}"
        found.setdefault(name, own)
    return found


def listed_filters() -> tuple[str, ...]:
    """Return the columns that people filter by, in the order in which the gallery lists them."""
    return ("dataset", "decision", "status", *shown_as("filter"))


def filters() -> tuple[str, ...]:
    """Return the columns that the gallery can filter by, those that only links set last."""
    return (*listed_filters(), *shown_as("link"))


def details() -> Mapping[str, str]:
    """Return what the drawer says of one image beside its filters and scores: name -> what it is called."""
    names = ("key", "url", "width", "height", "format", "sha256", "error", *shown_as("detail"), "duplicate_of", *PLACE)
    return {name: label_of(name) for name in names}


def grid_axes() -> tuple[str, ...]:
    """Return what can be an axis of the table of settings: the model, then the axes that have a short word."""
    return tuple(name for name in columns_of("model", "axis") if name in shown_as("filter"))


def label_of(name: str) -> str:
    """Return what a column is called.

    >>> label_of("checks"), label_of("url"), label_of("negative_prompt")
    ('Asked for', 'Source', 'Negative prompt')
    """
    generated = generated_columns().get(name)
    return (generated.label if generated else "") or LABELS.get(name) or plain_name(name)


def domain_of(url: str | None) -> str | None:
    """Return the host of an address, without www; None where there is none.

    >>> domain_of("https://www.Example.org:8080/a.jpg"), domain_of("no address"), domain_of(None)
    ('example.org', None, None)
    """
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None
