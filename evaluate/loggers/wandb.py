"""Weights & Biases: numbers in the summary of a run, where there are no steps, and a table of all of them.

``WANDB_ENTITY``, ``WANDB_MODE=offline``, ``WANDB_DIR``, ``WANDB_BASE_URL`` and the rest say what they say everywhere.
What the library would tell of this machine (its load, console, packages, git) is about no run of the store: left out.
"""

from typing import Any

from diptych.errors import DataError
from diptych.evaluate.loggers.contract import TAG, Destination, Sent, refusals
from diptych.evaluate.loggers.keys import TAKEN
from diptych.evaluate.loggers.logged_run import LoggedRun
from diptych.lookup import naming_extras

QUIET: dict[str, Any] = {
    "console": "off",
    "quiet": True,
    "disable_code": True,
    "disable_git": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
ID_DIGITS = 8


def send(logged: LoggedRun, to: Destination) -> Sent:
    """Send a run. Its id there is that of its content: one that is sent again takes its own place.

    Raises:
        MissingExtra: If the library is not installed.
        DataError: If it refuses, such as for want of a login.
    """
    with naming_extras():
        import wandb
    settings = {name: value for name, value in QUIET.items() if name in wandb.Settings.model_fields}
    with refusals("wandb", wandb.Error):
        run = wandb.init(
            project=to.project_of("WANDB_PROJECT"),
            id=f"{logged.run_id}-{logged.content[:ID_DIGITS]}",
            name=to.name,
            job_type="evaluation",
            tags=[TAG],
            notes=to.notes,
            config={**logged.facts, **to.facts},
            settings=wandb.Settings(**settings),
        )
        if run.settings.mode == "disabled":
            said = "switched off here, and keeps nothing; for want of a login, or by WANDB_MODE=disabled"
            raise DataError(f"wandb: {said}; run: wandb login, or set WANDB_MODE=offline to keep the run here")
        with run:
            columns = list(logged.rows[0])
            table = wandb.Table(columns=columns, data=[list(row.values()) for row in logged.rows])
            run.log({TAKEN[0]: table})
            run.summary.update(logged.scalars)
            folder = run.settings.sync_dir
            return Sent(folder if run.offline else run.url or folder)
