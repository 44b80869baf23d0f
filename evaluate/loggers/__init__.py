"""Loggers: the numbers of a finished run, sent to an experiment tracker. Decides nothing about how a number is made.

A tracker's library is an extra of its own and is imported when a run is sent to it, and by nothing else.
"""

# To add one: a module with a ``send``, a line here (alphabetical), an extra, a test.
LOGGERS: dict[str, str] = {
    "mlflow": "diptych.evaluate.loggers.mlflow:send",
    "trackio": "diptych.evaluate.loggers.trackio:send",
    "wandb": "diptych.evaluate.loggers.wandb:send",
}
