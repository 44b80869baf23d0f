"""MLflow: numbers as metrics, what they are about and their identities as params, all of them as an artifact.

``MLFLOW_TRACKING_URI``, ``MLFLOW_EXPERIMENT_NAME`` and the rest say what they say everywhere.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from diptych.evaluate.loggers.contract import Destination, Sent, refusals
from diptych.evaluate.loggers.logged_run import LoggedRun
from diptych.lookup import naming_extras

CONTENT = "diptych.content"  # a tag: the sha256 of what was sent
NOTES = "mlflow.note.content"  # a tag that MLflow shows over the run
MOST = 6000  # characters of a param's value, 250 of its key
MOST_OF_KEY = 250
SENT_APART = ("identities", "identity_of")


def send(logged: LoggedRun, to: Destination) -> Sent:
    """Send a run; one that its experiment has already, with exactly these numbers, is left there.

    Raises:
        MissingExtra: If the library is not installed.
        DataError: If it, or its server, refuses; the run is then marked as failed.
    """
    with naming_extras():
        import mlflow
        from mlflow.entities import Metric, Param
        from mlflow.exceptions import MlflowException
    with refusals("mlflow", MlflowException):
        client = mlflow.MlflowClient()
        experiment = _experiment(client, to.project_of("MLFLOW_EXPERIMENT_NAME"))
        said = f"in {mlflow.get_tracking_uri()}"
        found = client.search_runs([experiment], f"tags.`{CONTENT}` = '{logged.content}' and status = 'FINISHED'")
        if found:
            return Sent(f"run {found[0].info.run_id} {said}", is_new=False)
        run = client.create_run(experiment, run_name=to.name, tags=_tags(logged, to)).info.run_id
        done = False
        try:
            at = int(time.time() * 1000)
            metrics = [Metric(key, value, at, 0) for key, value in logged.scalars.items()]
            params = [Param(key, value) for key, value in params_of(logged).items()]
            client.log_batch(run, metrics=metrics, params=params)
            client.log_dict(run, {"numbers": logged.rows}, "numbers.json")
            client.log_dict(run, {**logged.facts, **to.facts}, "run.json")
            done = True
        finally:
            client.set_terminated(run, "FINISHED" if done else "FAILED")
        return Sent(f"run {run} {said}")


def params_of(logged: LoggedRun) -> dict[str, str]:
    """Return what a run is about, key by key, and the identity of each number; a value that is too long is cut.

    A run that is compared with another then shows of which numbers the identities differ.
    """
    facts = {key: value for key, value in logged.facts.items() if key not in SENT_APART}
    found = dict(_leaves(facts, ""))
    found |= {f"identity/{key}": value for key, value in logged.identity_of.items()}
    return {re.sub(r"[^/\w.\- ]", "_", key)[:MOST_OF_KEY]: value[:MOST] for key, value in found.items()}


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif value not in (None, "", {}, []):
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tags(logged: LoggedRun, to: Destination) -> dict[str, str]:
    told = {"run": logged.run_id, "content": logged.content, "version": str(logged.made_with.get("diptych"))}
    return {NOTES: to.notes, **{f"diptych.{name}": value for name, value in {**told, **to.facts}.items()}}


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)
