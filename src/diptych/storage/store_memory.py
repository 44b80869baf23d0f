"""What a process that alone writes somewhere in a store has seen there: it need not ask for it again.

A run opens the same manifests and journals over and over, which on a disk costs nothing and in a store a request each.
So whoever holds a place (``only_one``) remembers small objects until it writes them itself, and what is there and what
is not until it writes anything at all: whatever its workers write, it notes behind them.
What it wrote it knows to be there, whether or not a listing shows it already.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

MOST_EACH, MOST = 2**20, 64 * 2**20  # bytes of objects that are remembered

_lock = threading.RLock()
_holders = 0
_remembered_bytes = 0
_contents: dict[tuple[str, str], bytes] = {}
_answers: dict[tuple[str, str, str], Any] = {}
_changed: dict[tuple[str, str], int | None] = {}  # sizes of what was written, None of what was removed
_writes = 0  # that were noted: what was asked for before the latest of them is not remembered


@contextlib.contextmanager
def remembering() -> Iterator[None]:
    """Remember what is asked for in the block; behind the outermost one, all is forgotten."""
    global _holders, _remembered_bytes  # one process asks stores for all of its threads
    with _lock:
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                _contents.clear()
                _remembered_bytes = 0
                _answers.clear()
                _changed.clear()


def is_held() -> bool:
    """Return whether anything is remembered."""
    return _holders > 0


def answer(question: str, scheme: str, key: str, ask: Callable[[], Any]) -> Any:
    """Return what a store says about a key, also that nothing is there, asked once while nothing is written.

    Raises:
        FileNotFoundError: If nothing is there.
    """
    if not _holders:
        return ask()
    asked = (question, scheme, key)
    with _lock:
        known, writes = _answers.get(asked), _writes
    if known is None:
        try:
            known = ask()
        except FileNotFoundError as error:
            known = error
        with _lock:
            if writes == _writes:
                _answers[asked] = known
    if isinstance(known, FileNotFoundError):
        raise FileNotFoundError(*known.args[:2], known.filename) from known
    return known


def content(scheme: str, key: str, read: Callable[[], bytes]) -> bytes:
    """Return what an object holds, read once until this process writes it.

    Raises:
        FileNotFoundError: If there is none.
    """
    global _remembered_bytes
    if not _holders:
        return read()
    with _lock:
        known, writes = _contents.get((scheme, key)), _writes
    if known is None:
        known = answer("content", scheme, key, read)
        with _lock:
            _answers.pop(("content", scheme, key), None)
            if writes == _writes and len(known) <= MOST_EACH and _remembered_bytes + len(known) <= MOST:
                _forget(scheme, key)
                _contents[scheme, key] = known
                _remembered_bytes += len(known)
    return known


def size(scheme: str, key: str) -> int | None:
    """Return the bytes of an object that is remembered; None of any other."""
    with _lock:
        known = _contents.get((scheme, key))
    return None if known is None else len(known)


def wrote(scheme: str, key: str, size: int | None) -> None:
    """Forget what is another by now: an object, and everything that was said to be there or not.

    Args:
        scheme: Of the store.
        key: Of the object.
        size: Of the object in bytes; None where it was removed.
    """
    global _writes
    with _lock:
        _writes += 1
        _answers.clear()
        _forget(scheme, key)
        if _holders:
            _changed[scheme, key] = size


def removed_all(scheme: str, key: str) -> None:
    """Forget all below a key: it was removed."""
    with _lock:
        for known in [one for one in _contents if one[0] == scheme and _is_at(one[1], key)]:
            _forget(*known)
        for written in changed_below(scheme, key):
            wrote(scheme, written, None)
        wrote(scheme, key, None)


def changed_below(scheme: str, key: str) -> dict[str, int | None]:
    """Return the objects below a key that this process has written, which a listing may not show yet, or removed.

    Returns:
        Size in bytes by key; None of what was removed, and may still be listed.
    """
    with _lock:
        found = {one[1]: size for one, size in _changed.items() if one[0] == scheme and one[1] != key}
    return {one: size for one, size in found.items() if _is_at(one, key)}


def _forget(scheme: str, key: str) -> None:
    global _remembered_bytes
    _remembered_bytes -= len(_contents.pop((scheme, key), b""))


def _is_at(key: str, place: str) -> bool:
    return f"{key}/".startswith(f"{place}/")
