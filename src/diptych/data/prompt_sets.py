"""What a dataset of generated images says of its prompt sets in its manifest: by the label of each, which kind it is.

A label is what a user calls a set, and two sets of a kind have two; what is known of a benchmark, such as all of its
categories, is known of the kind. Written by ``generate``, read by ``evaluate``.
"""

from collections.abc import Mapping
from typing import Any

MADE_BY, PROMPTS, KIND, SOURCE = "made_by", "prompts", "kind", "source"
UNNAMED = "unnamed"  # the label of prompts of which nobody says the set: those of all tables and folders are one
REWRITTEN = "_rewritten"  # ends the label of the rewritten prompts of a benchmark, which are a set of their own


def prompt_set_facts(kind: str, source: str, licence: str, sha256: str) -> dict[str, str]:
    """Return what a manifest says of a prompt set, under ``made_by.prompts`` and its label."""
    return {KIND: kind, SOURCE: source, "licence": licence, "sha256": sha256}


def prompt_kinds(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return label -> kind of the prompt sets of a dataset; nothing where its manifest does not tell.

    >>> prompt_kinds({"made_by": {"prompts": {"lite": {"kind": "geneval"}}}}), prompt_kinds({"made_by": None})
    ({'lite': 'geneval'}, {})
    """
    return _facts(manifest, KIND)


def prompt_set_sources(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return label -> where the prompts of a dataset are from, an address if they have upstream's bytes."""
    return _facts(manifest, SOURCE)


def _facts(manifest: Mapping[str, Any], name: str) -> dict[str, str]:
    made_by = manifest.get(MADE_BY)
    sets = made_by.get(PROMPTS) if isinstance(made_by, Mapping) else None
    known = sets.items() if isinstance(sets, Mapping) else ()
    return {str(label): str(facts[name]) for label, facts in known if isinstance(facts, Mapping) and name in facts}
