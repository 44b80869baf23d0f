"""The plan for scores that are named one by one, as the command line does, without a config."""

from collections.abc import Sequence
from typing import Any

from diptych.config.overrides import typed_value
from diptych.data.column_names import label_problem
from diptych.errors import ConfigError
from diptych.judges import judge_takes
from diptych.scores import check_name, set_name, takes
from diptych.scores.plan import ROLES, ScorePlan


def named_plan(names: Sequence[str], overrides: Sequence[str], *, encoder: str, judge: str) -> ScorePlan:
    """Return the plan for scores by name, each labelled by its own name, of a file of the user's that of the factory.

    Args:
        names: Scores of diptych, or ``path/to/file.py:factory``; ``LABEL=NAME`` gives one another label.
        overrides: ``LABEL.key=value`` with the value in YAML, or ``encoder.`` or ``judge.`` in the place of the label.
        encoder: Kind of the encoder, for scores and judges that take one.
        judge: Kind of the judge, for scores that take one.

    Raises:
        ConfigError: If a name or an override is wrong.
    """
    labels: dict[str, str] = {}
    for text in names:
        label, name = _labelled(text)
        if label in ROLES or labels.setdefault(label, name) != name:
            raise ConfigError(f"{text!r}: the label {label!r} is taken; write it as LABEL=NAME with another one")
    if problem := label_problem(labels):
        raise ConfigError(problem)
    options = _options(overrides, (*ROLES, *labels))
    scores = {
        label: (name, options[label] | {role: role for role in ROLES if takes(name, role)})
        for label, name in labels.items()
    }
    judges = {}
    if any("judge" in given for _, given in scores.values()):
        role = {"encoder": "encoder"} if judge_takes(judge, "encoder") else {}
        judges = {"judge": (judge, options["judge"] | role)}
    return ScorePlan({"encoder": (encoder, options["encoder"])}, scores, judges=judges).needed()


def _labelled(text: str) -> tuple[str, str]:
    """Return label and name of ``LABEL=NAME`` or ``NAME``; a file's path may have the sign after a slash."""
    label, equals, name = text.partition("=")
    if not equals or "/" in label:
        label, name = "", text
    check_name(name)
    return label or set_name(name), name


def _options(overrides: Sequence[str], owners: Sequence[str]) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {owner: {} for owner in owners}
    for override in overrides:
        owner, dot, key = override.partition("=")[0].partition(".")
        if "=" not in override or not dot or owner not in options:
            raise ConfigError(f"--set {override!r}: write it as LABEL.key=value; LABEL is one of {', '.join(options)}")
        options[owner][key] = typed_value(override)
    return options
