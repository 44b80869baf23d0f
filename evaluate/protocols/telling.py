"""What there is to know of a protocol before it is run, for people and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from diptych.asset_folders import ASSET_FOLDERS
from diptych.asset_table import ASSETS, joined_source
from diptych.evaluate.protocols import PROTOCOLS, find_protocol
from diptych.evaluate.protocols.contract import Ability, Protocol, role_of
from diptych.progress.wording import quantity


def listed() -> list[dict[str, Any]]:
    """Return name, title, number of prompts and kind of judge of every protocol."""
    every = map(find_protocol, PROTOCOLS)
    return [{"name": one.name, "title": one.title, "prompts": one.n_prompts, "judge": _judge(one)} for one in every]


def facts_of(name: str) -> dict[str, Any]:
    """Return everything that a protocol says, with where its prompts are from.

    Raises:
        ConfigError: If there is none of that name.
    """
    protocol = find_protocol(name)
    folder = asdict(ASSET_FOLDERS[protocol.folder]) if protocol.folder else None
    return {**asdict(protocol), "assets": {asset: asdict(ASSETS[asset]) for asset in protocol.assets}, "folder": folder}


def lines_of(name: str | None) -> Iterator[str]:
    """Yield what a person reads of one protocol, or of all.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name is None:
        wide = max(map(len, PROTOCOLS))
        for one in listed():
            yield f"{one['name']:<{wide}} {one['prompts']:>6,} prompts  judge: {one['judge']:<10} {one['title']}"
        return
    protocol = find_protocol(name)
    yield f"{protocol.name}: {protocol.title}"
    yield f"source     {protocol.source}"
    yield f"prompts    {protocol.n_prompts:,}, {_from(protocol)}"
    yield f"judge      {_gives(protocol.ability)}"
    for ability in protocol.besides:
        yield f"beside     {_gives(ability)}"
    yield f"cost       {cost_text(protocol)}"
    for rule, counted in protocol.rules.items():
        yield f"{rule:<10} {counted.says}"
    for defect in protocol.defects:
        yield f"known      {defect}"
    for known in protocol.agreements:
        yield f"agreement  {known.value:.1%} of {known.judge} with people, {known.measure} ({known.source})"
    for score in protocol.published:
        yield f"published  {score.value:.3f} for {score.model} by {score.judge} ({score.source})"


def _gives(ability: Ability) -> str:
    return f"{'an encoder, ' if role_of(ability) == 'encoder' else ''}gives {ability}"


def _judge(protocol: Protocol) -> str:
    return "several" if protocol.besides else protocol.ability


def _from(protocol: Protocol) -> str:
    if protocol.folder:
        folder = ASSET_FOLDERS[protocol.folder]
        return f"{folder.licence}: a folder that you fetch, {folder.url}"
    if protocol.is_own:
        return "drawn by diptych demo"
    if not protocol.assets:
        return "from a file of yours"
    files = "" if len(protocol.assets) == 1 else f" {quantity(len(protocol.assets), 'file')} of"
    return f"{ASSETS[protocol.assets[0]].licence}:{files} {joined_source(protocol.assets)}"


def cost_text(protocol: Protocol) -> str:
    """Return what judging takes, for one image and for all that upstream makes of the prompts."""
    cost = protocol.cost
    images = protocol.n_prompts * cost.images
    said = [f"a call of the judge for each question, {quantity(images, 'image')}"]
    if cost.calls is not None:
        calls = "1 call" if cost.calls == 1 else f"{cost.calls:,.3g} calls"
        said = [f"{calls} of the judge an image, {cost.calls * images:,.0f} for {quantity(images, 'image')}"]
    if cost.tokens is not None:
        said.append(f"about {cost.tokens:,} tokens of text an image, those of pictures on top")
    if cost.gib is not None:
        said.append(f"weights of upstream's judge {cost.gib:.3g} GiB")
    return "; ".join(said)
