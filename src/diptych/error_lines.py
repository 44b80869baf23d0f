"""What stands on stderr where a command fails: lines of text, or one line of JSON where it is given ``--json``.

On stderr, so that stdout is one document, or nothing. Decides nothing about what went wrong. Imported before a stop is
heard (``diptych.interrupts``): what takes time to import is imported where it is used.
"""

import re
from collections.abc import Collection, Sequence

PLACE = re.compile(r"(?P<path>.+?)(:\d+)*", re.DOTALL)  # file, file:line or file:line:column
KEY = re.compile(r"[a-z_]\w*(\.\w+)+")  # of a config


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command is given ``--json``, also where its arguments cannot be read further.

    >>> wants_json(["doctor", "--json"]), wants_json(["validate", "--", "--json"])
    (True, False)
    """
    return "--json" in (arguments[: arguments.index("--")] if "--" in arguments else arguments)


def error_line(kind: str, message: str, exit_code: int, named: Collection[str] = ()) -> str:
    """Return an error as one JSON object.

    Args:
        kind: What sort of error it is, such as the name of its class.
        message: A line for each problem.
        exit_code: With which the command ends.
        named: Texts that are places wherever a problem begins with one, such as the arguments of the command.
    """
    import json

    problems = [placed(line, named) for line in message.splitlines()]
    return json.dumps({"error": kind, "exit_code": exit_code, "problems": problems})


def placed(problem: str, named: Collection[str] = ()) -> dict[str, str | None]:
    """Return a line as ``where`` and ``what``; ``where`` is None where it begins with no place.

    A place is one of those named, a path that is there or that begins at the root, or a key of a config.

    >>> placed("distances.0.by: no such column"), placed("nowhere: no such file", ["nowhere"])
    ({'where': 'distances.0.by', 'what': 'no such column'}, {'where': 'nowhere', 'what': 'no such file'})
    >>> placed("/home/me/r.duckdb: no such store")
    {'where': '/home/me/r.duckdb', 'what': 'no such store'}
    >>> placed("'rich' is not installed; it comes with: pip install rich")
    {'where': None, 'what': "'rich' is not installed; it comes with: pip install rich"}
    """
    for end in (found.start() for found in re.finditer(": ", problem)):
        place = problem[:end]
        if place in named or KEY.fullmatch(place) or _is_path(place, named):
            return {"where": place, "what": problem[end + 2 :]}
    return {"where": None, "what": problem}


def _is_path(text: str, named: Collection[str]) -> bool:
    from pathlib import Path

    found = PLACE.fullmatch(text)
    if found is None or found["path"] in named:  # such as the - of standard input
        return found is not None
    try:
        return Path(found["path"]).is_absolute() or Path(found["path"]).exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False
