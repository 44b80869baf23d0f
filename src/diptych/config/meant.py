"""Which keys of a config may be meant by one that there is not. Decides nothing about which there are."""

from collections.abc import Sequence

from diptych.lookup import nearest

ALIKE = 0.75  # of a misspelt key and the one that is meant, see ``nearest``
# What a key is called elsewhere, and here.
SYNONYMS = {
    "criteria": "select",
    "filter": "select",
    "filters": "select",
    "images": "datasets",
    "metrics": "distances",
    "output": "store",
    "pipeline": "models",
    "pipelines": "models",
    "rule": "select",
    "rules": "select",
    "type": "kind",
}


def close_keys(name: str, beside: Sequence[str], elsewhere: Sequence[str] = ()) -> list[str]:
    """Return the keys that may be meant, best first.

    >>> close_keys("score", ["name", "scores"], ["scores.LABEL.score"])
    ['scores']
    >>> close_keys("cosine", ["name", "scores"], ["dedup.confirm.cosine"]), close_keys("rules", ["name", "select"])
    (['dedup.confirm.cosine'], ['select'])

    Args:
        name: The key that there is not.
        beside: Those that there may be in its place.
        elsewhere: The places where a key of that very name may stand.
    """
    synonym = SYNONYMS.get(name.casefold())
    if synonym in beside:
        return [str(synonym)]
    return nearest(name, beside, cutoff=ALIKE, count=1) or list(elsewhere) or nearest(name, beside)
