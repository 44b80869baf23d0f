"""What there is to know of a protocol before it is run, for people and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from diptych.assets import ASSETS
from diptych.evaluate.protocols import PROTOCOLS, find_protocol


def listed() -> list[dict[str, Any]]:
    """Return name, title, number of prompts and kind of judge of every protocol."""
    every = map(find_protocol, PROTOCOLS)
    return [{"name": one.name, "title": one.title, "prompts": one.n_prompts, "judge": one.ability} for one in every]


def facts_of(name: str) -> dict[str, Any]:
    """Return everything that a protocol says, with where its prompts are from.

    Raises:
        ConfigError: If there is none of that name.
    """
    protocol = find_protocol(name)
    return {**asdict(protocol), "asset": asdict(ASSETS[protocol.asset])}


def lines_of(name: str | None) -> Iterator[str]:
    """Yield what a person reads of one protocol, or of all.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name is None:
        for one in listed():
            yield f"{one['name']:<10} {one['prompts']:>6,} prompts  judge: {one['judge']:<8} {one['title']}"
        return
    protocol = find_protocol(name)
    asset = ASSETS[protocol.asset]
    yield f"{protocol.name}: {protocol.title}"
    yield f"source     {protocol.source}"
    yield f"prompts    {protocol.n_prompts:,}, {asset.licence}: {asset.url}"
    yield f"judge      gives {protocol.ability}; an image costs {protocol.cost}"
    for rule, counted in protocol.rules.items():
        yield f"{rule:<10} {counted.says}"
    for defect in protocol.defects:
        yield f"known      {defect}"
    for score in protocol.published:
        yield f"published  {score.value:.3f} for {score.model} by {score.judge} ({score.source})"
