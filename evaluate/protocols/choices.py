"""What a config says of protocols, and the scores that these are made of. Loads where only the base install is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import ConfigDict, Field, PrivateAttr, model_validator

from diptych.config.name_in import NameIn
from diptych.config.places import ProblemAt
from diptych.config.schema_words import one_of_two, where
from diptych.config.settings import Settings
from diptych.evaluate.inputs.choices import By, Datasets
from diptych.evaluate.protocols import PROTOCOLS, find_protocol
from diptych.evaluate.protocols.contract import Ability, role_of
from diptych.judges import judge_option
from diptych.lookup import describe_unknown
from diptych.scores.choices import JudgeChoice, ScoreChoice


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


def _judges(ability: Ability) -> tuple[str, str]:
    """Return the key of who judges, and the one that is not for it."""
    return ("encoder", "judge") if role_of(ability) == "encoder" else ("judge", "encoder")


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
    _counting: str = PrivateAttr("")  # how its judge adds up, where that is not as in its usual number

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
        """The label of its judge or encoder, how the judge adds up where that is not usual, and those of the others."""
        others = (self.beside[ability] for ability in find_protocol(self.protocol).besides)
        counting = [self._counting] if self._counting else []
        return "_".join([self.judge or self.encoder or "", *counting, *others])

    def learn_judges(self, judges: Mapping[str, JudgeChoice]) -> None:
        """Take from its judge how it adds up probabilities: the name carries it, unless it is as upstream's.

        >>> choice = ProtocolChoice(protocol="geneval2", judge="qwen")
        >>> options = {"weights": "Qwen/Qwen3-VL-8B-Instruct"}
        >>> choice.learn_judges({"qwen": JudgeChoice(kind="vision_language", options=options)})
        >>> choice.label("official")
        'geneval2_official_qwen_distinct'
        """
        judge = judges.get(self.judge or "")
        said, usual = judge_option(judge.kind, judge.options, "summation") if judge is not None else (None, None)
        expected = find_protocol(self.protocol).summation or usual
        self._counting = str(said) if said is not None and said != expected else ""

    @property
    def judges_told(self) -> str:
        """Who judges, in words."""
        first = f"the judge {self.judge!r}" if self.judge else f"the encoder {self.encoder!r}"
        return " or ".join([first, *(repr(label) for label in self.beside.values())])

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


class MadeScore(NamedTuple):
    """A score that a protocol is made of.

    Attributes:
        label: Under which it stands.
        rule: Whose it is.
        part: Its name among the further scores of the rule; empty of the rule's own.
        score: What it is.
    """

    label: str
    rule: str
    part: str
    score: ScoreChoice


def protocol_scores(choices: Iterable[ProtocolChoice]) -> dict[str, ScoreChoice]:
    """Return the scores that protocols are made of, by their labels.

    >>> list(protocol_scores([ProtocolChoice(protocol="geneval", judge="detector")]))
    ['geneval_official_detector']
    """
    return {made.label: made.score for choice in choices for made in _made(choice)}


def check_labels(choices: Iterable[ProtocolChoice], scores: Iterable[str]) -> None:
    """Check that no two numbers stand under one label: neither of protocols, nor one of these and a score.

    A protocol may stand there again for other groups and datasets, by the same judge. Labels that differ in nothing but
    case are one to SQL.

    Raises:
        ProblemAt: If two would.
    """
    own = {label.casefold(): label for label in scores}
    seen: dict[str, tuple[int, str, tuple[object, ...]]] = {}
    for number, choice in enumerate(choices):
        who = (choice.protocol, choice.judge, choice.encoder, *sorted(choice.beside.items()))
        for label, rule, part, _ in _made(choice):
            folded = label.casefold()
            if folded in own:
                said = "the label is the name of a number of protocols; give the score another"
                raise ProblemAt(("scores", own[folded]), said)
            other, its_rule, meant = seen.setdefault(folded, (number, rule, (*who, rule, part)))
            if meant != (*who, rule, part):
                raise ProblemAt(
                    ("protocols", number),
                    f"the label {label!r} of its rule {rule!r} is that of the rule {its_rule!r} of protocols.{other}; "
                    f"rename {choice.judges_told}",
                )


def _made(choice: ProtocolChoice) -> Iterator[MadeScore]:
    for name in choice.counted:
        rule, label = find_protocol(choice.protocol).rules[name], choice.label(name)
        own = ScoreChoice(score=rule.score, judge=choice.judge, encoder=choice.encoder, options=dict(rule.options))
        yield MadeScore(label, name, "", own)
        for part_name, part in rule.beside.items():
            role = role_of(part.ability)
            asked = {"score": part.score, role: choice.beside[part.ability], "options": dict(part.options)}
            yield MadeScore(part_label(label, part_name), name, part_name, ScoreChoice.model_validate(asked))


def part_label(label: str, part: str) -> str:
    """Return the label of a further score of a rule, by that of its own."""
    return f"{label}_{part}"
