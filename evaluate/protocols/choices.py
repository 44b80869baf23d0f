"""What a config says of protocols, and the scores that these are made of. Loads where only the base install is."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from diptych.config.name_in import NameIn
from diptych.config.places import ProblemAt
from diptych.config.schema_words import one_of_two, where
from diptych.config.settings import Settings
from diptych.evaluate.inputs.choices import By, Datasets
from diptych.evaluate.protocols import PROTOCOLS, find_protocol
from diptych.evaluate.protocols.contract import Ability
from diptych.lookup import describe_unknown
from diptych.scores.choices import ScoreChoice


def _tell_each(schema: dict[str, Any]) -> None:
    """Add who judges for each protocol, alone or beside others, and its rules."""
    schema["allOf"] = [where("protocol", name, _told_of(name)) for name in PROTOCOLS]


def _told_of(name: str) -> dict[str, Any]:
    protocol = find_protocol(name)
    rules = {"properties": {"rules": {"items": {"enum": list(protocol.rules)}}}}
    others = list(protocol.besides)
    beside = {"properties": {"beside": {"required": others, "maxProperties": len(others)}}}
    needed = {"required": ["beside"]} if others else {}
    return {"allOf": [one_of_two(*_judges(protocol.ability)), rules, {**beside, **needed}]}


def _judges(ability: str) -> tuple[str, str]:
    """Return the key of who judges, and the one that is not for it."""
    return ("encoder", "judge") if ability == "embeddings" else ("judge", "encoder")


class ProtocolChoice(Settings):
    """A benchmark's number for each group of images of its prompts, by one judge or one encoder."""

    model_config = ConfigDict(json_schema_extra=_tell_each)

    protocol: Annotated[str, NameIn("protocol", PROTOCOLS)] = Field(
        description="a protocol of diptych, see diptych evaluate protocols"
    )
    judge: str | None = Field(None, description="label of a judge; part of the number's name")
    encoder: str | None = Field(None, description="label of an encoder, where a protocol takes one in place of a judge")
    beside: dict[Ability, str] = Field(
        default_factory=dict,
        description="labels of further judges, of an encoder under embeddings, where a protocol takes several",
    )
    rules: tuple[str, ...] = Field((), description="ways to count, such as official and corrected; () takes all")
    by: By = ("model",)
    datasets: Datasets = None

    @model_validator(mode="after")
    def _rules_are_there(self) -> "ProtocolChoice":
        known = find_protocol(self.protocol).rules
        for number, rule in enumerate(self.rules):
            if rule not in known:
                raise ProblemAt(("rules", number), describe_unknown(f"rule of {self.protocol}", rule, known))
        return self

    @model_validator(mode="after")
    def _one_judges(self) -> "ProtocolChoice":
        ability = find_protocol(self.protocol).ability
        wanted, other = _judges(ability)
        if getattr(self, wanted) is None:
            raise ProblemAt((wanted,), f"{self.protocol} takes the label of one that gives {ability}")
        if getattr(self, other) is not None:
            raise ProblemAt((other,), f"{self.protocol} takes no {other} but {wanted}")
        return self

    @model_validator(mode="after")
    def _others_judge_beside(self) -> "ProtocolChoice":
        wanted = find_protocol(self.protocol).besides
        if set(wanted) != set(self.beside):
            needed = f"labels of those that give {' and '.join(wanted)}" if wanted else "nothing beside its judge"
            raise ProblemAt(("beside",), f"{self.protocol} takes {needed}")
        return self

    @property
    def judged_by(self) -> str:
        """The label of its judge or encoder, and those of the others."""
        others = (self.beside[ability] for ability in find_protocol(self.protocol).besides)
        return "_".join([self.judge or self.encoder or "", *others])

    @property
    def counted(self) -> tuple[str, ...]:
        """The rules by which it is counted."""
        return self.rules or tuple(find_protocol(self.protocol).rules)

    def label(self, rule: str) -> str:
        """Return the label of the score of a rule: protocol, rule and who judges, so that two never share a name.

        >>> ProtocolChoice(protocol="dsg", judge="qwen").label("official")
        'dsg_official_qwen'
        """
        return f"{self.protocol}_{rule}_{self.judged_by}"


def protocol_scores(choices: Iterable[ProtocolChoice]) -> dict[str, ScoreChoice]:
    """Return the scores that protocols are made of, by their labels.

    >>> list(protocol_scores([ProtocolChoice(protocol="geneval", judge="detector")]))
    ['geneval_official_detector']
    """
    found = {}
    for choice in choices:
        for name in choice.counted:
            rule = find_protocol(choice.protocol).rules[name]
            found[choice.label(name)] = ScoreChoice(
                score=rule.score, judge=choice.judge, encoder=choice.encoder, options=dict(rule.options)
            )
            for part_name, part in rule.beside.items():
                role = "encoder" if part.ability == "embeddings" else "judge"
                asked = {"score": part.score, role: choice.beside[part.ability], "options": dict(part.options)}
                found[part_label(choice.label(name), part_name)] = ScoreChoice.model_validate(asked)
    return found


def part_label(label: str, part: str) -> str:
    """Return the label of a further score of a rule, by that of its own."""
    return f"{label}_{part}"
