"""How often the judge of a number says what people say, where somebody published that of it."""

import re
from collections.abc import Mapping
from typing import Any

from diptych.evaluate.protocols.contract import Protocol


def agreement_note(protocol: Protocol, options: Mapping[str, Any]) -> str:
    """Return what is known of a judge, by the names among its options; empty where nothing is.

    Args:
        protocol: On whose questions judges were held against people.
        options: Of the judge: its weights or its model, on the hub, as a folder of that name, or as an endpoint has it.
    """
    names = {_plain(value) for value in options.values() if isinstance(value, str)}
    for known in protocol.agreements:
        if _plain(known.judge) in names:
            return f"this judge agrees with people in {known.value:.1%} ({known.measure}; {known.source})"
    return ""


def _plain(name: str) -> str:
    """Return the name of a model without its place, revision and punctuation.

    >>> _plain("Qwen/Qwen3-VL-8B-Instruct@main"), _plain("models/qwen3_vl_8b_instruct/")
    ('qwen3vl8binstruct', 'qwen3vl8binstruct')
    """
    last = name.partition("@")[0].rstrip("/").rpartition("/")[2]
    return re.sub(r"[^a-z0-9]", "", last.casefold())
