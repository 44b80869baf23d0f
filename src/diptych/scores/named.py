"""The plan for scores that are named one by one, as the command line does, without a config."""

from collections.abc import Sequence
from typing import Any

from diptych.config.overrides import typed_value
from diptych.config.such_as import as_settings, check_given
from diptych.data.column_names import label_problem
from diptych.encoders import ENCODERS
from diptych.errors import ConfigError
from diptych.judges import JUDGES, judge_takes
from diptych.lookup import resolve
from diptych.scores import SCORES, known_score, set_name, takes
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
    plan = ScorePlan({"encoder": (encoder, options["encoder"])}, scores, judges=judges).needed()
    _refuse_missing_options(plan)
    return plan


def example_command(score: str, *, encoder: str = "open_clip") -> str:
    """Return the name of a score as the command line takes it, with the options that it cannot do without.

    >>> example_command("clip_similarity")
    'clip_similarity --set encoder.architecture=ViT-L-14 --set encoder.pretrained=openai'

    Args:
        score: One of diptych that takes no judge.
        encoder: Kind of the encoder.
    """
    given = {role: role for role in ROLES if takes(score, role)}
    parts = [as_settings(resolve(SCORES, "score", score), given, score)]
    parts += [as_settings(resolve(ENCODERS, "encoder", encoder), {}, "encoder")] if "encoder" in given else []
    return " ".join(filter(None, [score, *parts]))


def _refuse_missing_options(plan: ScorePlan) -> None:
    """Raise for an option without which an encoder, a judge or a score of diptych cannot be made; say how it is given.

    Raises:
        ConfigError: If there is one.
    """
    tables = (("encoder", ENCODERS, plan.encoders), ("judge", JUDGES, plan.judges), ("score", SCORES, plan.scores))
    for kind, table, specs in tables:
        for label, (name, options) in specs.items():
            if name not in table:  # in a file of the user's own, which is told when it is built
                continue
            check_given(resolve(table, kind, name), options, where=f"{kind} {name!r}", label=label)


def _labelled(text: str) -> tuple[str, str]:
    """Return label and name of ``LABEL=NAME`` or ``NAME``; a file's path may have the sign after a slash."""
    label, equals, name = text.partition("=")
    if not equals or "/" in label:
        label, name = "", text
    name = known_score(name)
    return label or set_name(name), name


def _options(overrides: Sequence[str], owners: Sequence[str]) -> dict[str, dict[str, Any]]:
    options: dict[str, dict[str, Any]] = {owner: {} for owner in owners}
    for override in overrides:
        owner, dot, key = override.partition("=")[0].partition(".")
        if "=" not in override or not dot or owner not in options:
            raise ConfigError(f"--set {override!r}: write it as LABEL.key=value; LABEL is one of {', '.join(options)}")
        options[owner][key] = typed_value(override)
    return options
