"""How a worker process ended that should not have: what is known of it, and what to do."""

import signal
import sys
from collections.abc import Sequence

KEPT = "what is finished is kept"


def what_ended(exit_codes: Sequence[int | None], has_begun: bool) -> str:
    """Return in one line how a worker ended.

    Args:
        exit_codes: Of all workers, as ``multiprocessing`` has them: below 0 the signal that ended it. When one ends,
            the others are ended with SIGTERM, so that any other code is that of the first.
        has_begun: Whether any of them came so far as to take work.

    >>> what_ended([-15, -9], True).partition(",")[0]
    'a worker process was ended by SIGKILL'
    """
    own = [code for code in exit_codes if code not in (None, 0, -signal.SIGTERM)]
    code = own[0] if own else -signal.SIGTERM if -signal.SIGTERM in exit_codes else 0
    if not has_begun:
        return f"no worker process could begin ({_how(code)}): {_import_advice()}"
    if code == -signal.SIGKILL:
        advice = "run again with fewer workers or smaller batches"
        return f"a worker process was {_how(code)}, as a system does whose memory runs out; {KEPT}: {advice}"
    if code == -signal.SIGTERM:
        return f"a worker process was {_how(code)}, which somebody sent it; {KEPT}: run again to go on"
    if code < 0:
        advice = "run again with one worker, under python -X faulthandler, which shows where"
        return f"a worker process was {_how(code)}, as by a library that crashes; {KEPT}: {advice}"
    return f"a worker process ended by itself, {_how(code)}, while it worked; {KEPT}: look for what calls exit there"


def _how(code: int) -> str:
    if code >= 0:
        return f"with the exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _import_advice() -> str:
    """Return what a worker needs of the main module: it imports that before anything else."""
    module = sys.modules.get("__main__")
    file = getattr(module, "__file__", None)
    what = f"the main module, {file}" if file else "the main module"
    return (
        f"each first imports {what}; it has to be a file, with what it does under "
        f'if __name__ == "__main__": (or run with one worker)'
    )
