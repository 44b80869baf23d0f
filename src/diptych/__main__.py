"""The program ``diptych``, also as ``python -m diptych``. A stop may come while it imports, which takes a while.

So the ear for it comes first, and what is imported before that is little.
"""

import sys

from diptych.interrupts import (
    end_at_once_when_stopped,
    exit_code,
    ignore_stops,
    leave,
    leave_at_once,
)


def run() -> None:
    """Run the command that the arguments of the program give, and exit."""
    end_at_once_when_stopped()
    from diptych.output import failure_of_output, forgive_output

    forgive_output()
    from diptych.cli import main
    from diptych.failures import FAILED, Failed

    try:
        main(prog_name="diptych")
    except SystemExit as end:
        ignore_stops()
        if end.code == exit_code():
            leave_at_once()
        failure = failure_of_output()
        if failure is not None and not end.code:
            said = f"stdout: {failure.strerror}; what was written there is not whole"
            Failed("Output", said, FAILED, sys.argv[1:], "stdout").show()
            leave(FAILED)
        leave(end.code)


if __name__ == "__main__":
    run()
