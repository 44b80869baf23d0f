"""The identity of a value: sha256 over its canonical JSON, whole or as directory names carry it."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo


class CameLater:
    """Marks a key in ``Annotated`` that other configs of its kind had identities without.

    At its default it is no part of an identity, so that a config that does not name it keeps the one that it had.
    """


def is_later(field: FieldInfo) -> bool:
    """Return whether a key of a config is marked as ``CameLater``."""
    return any(isinstance(each, CameLater) for each in field.metadata)


def fingerprint(value: Any) -> str:
    """Return the sha256 (hex) of the canonical JSON of ``value``: sorted keys, no spaces; of a config see ``asked``.

    >>> fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})
    True
    """
    if isinstance(value, BaseModel):
        value = asked(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def short_id(identity: Mapping[str, Any]) -> str:
    """Return the first 8 hex digits of the identity's fingerprint, as directory names carry it."""
    return fingerprint(dict(identity))[:8]


def asked(config: BaseModel, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Return a config as JSON-able values, without keys that came later and are at their default.

    Args:
        config: The config.
        without: Keys of it that are left out, too.

    >>> from typing import Annotated
    >>> class Choice(BaseModel):
    ...     by: str = "model"
    ...     margin: Annotated[float, CameLater()] = 0.0
    >>> asked(Choice()), asked(Choice(margin=0.5))
    ({'by': 'model'}, {'by': 'model', 'margin': 0.5})
    """
    found: dict[str, Any] = _asked(config, config.model_dump(mode="json", exclude=set(without)))
    return found


def _asked(value: Any, dumped: Any) -> Any:
    """Return what is dumped of a value, without what came later at any depth."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        later = {
            name
            for name, field in fields.items()
            if is_later(field) and getattr(value, name) == field.get_default(call_default_factory=True)
        }
        return {name: _asked(getattr(value, name), part) for name, part in dumped.items() if name not in later}
    if isinstance(value, Mapping):
        return {name: _asked(part, dumped[name]) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_asked(part, other) for part, other in zip(value, dumped, strict=True)]
    return dumped
