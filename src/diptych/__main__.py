"""The program ``diptych``, also as ``python -m diptych``. Ctrl-C may come while it imports, which takes a while."""

import sys

from diptych.interrupts import EXIT_CODE, end_at_once_on_ctrl_c, end_in_order_on_ctrl_c, ignore_ctrl_c, leave_at_once
from diptych.output import failure_of_output, forgive_output


def run() -> None:
    """Run the command that the arguments of the program give, and exit."""
    end_at_once_on_ctrl_c()
    forgive_output()
    from diptych.cli import main
    from diptych.failures import FAILED, Failed

    end_in_order_on_ctrl_c()
    try:
        main(prog_name="diptych")
    except SystemExit as end:
        ignore_ctrl_c()
        if end.code == EXIT_CODE:
            leave_at_once()
        failure = failure_of_output()
        if failure is not None and not end.code:
            said = f"stdout: {failure.strerror}; what was written there is not whole"
            Failed("Output", said, FAILED, sys.argv[1:], "stdout").show()
            sys.exit(FAILED)
        raise


if __name__ == "__main__":
    run()
