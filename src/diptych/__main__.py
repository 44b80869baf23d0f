"""The program ``diptych``, also as ``python -m diptych``. Ctrl-C may come while it imports, which takes a while."""

import sys

from diptych.interrupts import EXIT_CODE, end_at_once_on_ctrl_c, end_in_order_on_ctrl_c, ignore_ctrl_c, leave_at_once
from diptych.output import failure_of_output, forgive_output


def run() -> None:
    """Run the command that the arguments of the program give, and exit."""
    end_at_once_on_ctrl_c()
    forgive_output()
    from diptych.cli import main

    end_in_order_on_ctrl_c()
    try:
        main(prog_name="diptych")
    except SystemExit as end:
        ignore_ctrl_c()
        if end.code == EXIT_CODE:
            leave_at_once()
        failure = failure_of_output()
        if failure is not None and not end.code:
            print(f"Error: stdout: {failure.strerror}; what was written there is not whole", file=sys.stderr)
            sys.exit(1)
        raise


if __name__ == "__main__":
    run()
