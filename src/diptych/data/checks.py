"""What a picture is held against: the objects, questions and texts that its prompt asks for.

The column ``checks`` holds them as JSON. One form for every prompt set: objects have the form of GenEval's metadata, so
that those are checks as they stand; relations are T2I-CompBench's; questions carry what DSG, TIFA and checklists ask;
texts are what has to be read. Decides nothing about who looks or how answers count.
"""

import json
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from diptych.config.places import causes, what_is_wrong
from diptych.config.settings import Settings
from diptych.errors import DataError, one_line

Position = Literal["left of", "right of", "above", "below"]
# How one thing lies to another in T2I-CompBench's words; those of depth come last.
Place = Literal[
    "near",
    "next to",
    "on side of",
    "on the left of",
    "on the right of",
    "on the bottom of",
    "on the top of",
    "on top of",
    "in front of",
    "behind",
    "hidden",
]

CHECKS = "checks"  # the column
REFERENCE_ANSWER = "reference_answer"  # a column beside it: what a right picture shows, in words
YES, NO = "yes", "no"
# Reasons of a score for an image: its prompt asks for nothing of the kind, or what it asks for is not of the form.
NOT_ASKED, BAD_CHECKS = "not_asked", "bad_checks"


def _digits(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_list(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list")
    return value


Item = TypeVar("Item")
Listed = Annotated[tuple[Item, ...], BeforeValidator(_is_list)]
Text = Annotated[str, Field(min_length=1)]
ClauseNumber = Annotated[int, Field(strict=True)]
QuestionId = Annotated[str, BeforeValidator(_digits), Field(min_length=1)]


class Included(Settings):
    """Objects that have to be there.

    Attributes:
        label: The class.
        count: At least how many.
        colour: Of each of them; None if it is not asked for.
        position: How they lie to those of another clause, by its number; None if it is not asked for.
    """

    label: str = Field(alias="class", min_length=1)
    count: int = Field(ge=1, strict=True)
    colour: str | None = Field(default=None, alias="color", min_length=1)
    position: tuple[Position, ClauseNumber] | None = None


class Excluded(Settings):
    """Objects that must not be there: ``count`` or more of a class."""

    label: str = Field(alias="class", min_length=1)
    count: int = Field(ge=1, strict=True)


class Relation(Settings):
    """How one thing has to lie to another; that both are there is asked by it.

    Attributes:
        first: The class of the one.
        place: How it lies to the other.
        second: The class of that, which may be the same.
        misread_first: The class that a published script takes for the first by mistake, such as a noun nearer to the
            place; no judge is asked for it. None where it makes no mistake.
    """

    first: Text
    place: Place
    second: Text
    misread_first: Text | None = None


class Question(Settings):
    """A question about a picture and the answer that a right picture gives.

    Attributes:
        id: Its name within the prompt; without one, its number from 1.
        question: Its words.
        choices: What can be answered; none: anything.
        answer: Of a right picture.
        parents: Questions, by id, without whose right answers this one makes no sense. They may lead in circles, as
            in DSG-1k; a rule looks one level up.
        tags: What it is about, from broad to narrow: ``("attribute", "colour")``.
        about: The part of the prompt: DSG's tuple, TIFA's element.
        weight: Against the other questions of the prompt.
    """

    id: QuestionId
    question: Text
    choices: Listed[Text] = (YES, NO)
    answer: Text = YES
    parents: Listed[QuestionId] = ()
    tags: Listed[Text] = ()
    about: str = ""
    weight: float = Field(default=1.0, gt=0, strict=True)

    @model_validator(mode="after")
    def _the_answer_is_a_choice(self) -> Self:
        if self.choices and self.answer not in self.choices:
            raise ValueError(f"the answer {self.answer!r} is none of its choices ({', '.join(self.choices)})")
        return self


class Checks(Settings):
    """Everything that a prompt asks of its picture; every part may be empty."""

    include: Listed[Included] = ()
    exclude: Listed[Excluded] = ()
    relations: Listed[Relation] = ()
    questions: Listed[Question] = ()
    texts: Listed[Text] = ()

    @model_validator(mode="before")
    @classmethod
    def _number_questions(cls, values: Any) -> Any:
        given = values.get("questions") if isinstance(values, dict) else None
        if not isinstance(given, list):
            return values
        numbered = [
            {"id": str(number), **one} if isinstance(one, dict) else one for number, one in enumerate(given, start=1)
        ]
        return {**values, "questions": numbered}

    @model_validator(mode="after")
    def _positions_name_other_clauses(self) -> Self:
        for number, clause in enumerate(self.include):
            if clause.position and (clause.position[1] == number or not 0 <= clause.position[1] < len(self.include)):
                raise ValueError(f"include.{number} lies relative to include.{clause.position[1]}; name another clause")
        return self

    @model_validator(mode="after")
    def _parents_are_other_questions(self) -> Self:
        ids = [question.id for question in self.questions]
        for question in self.questions:
            if ids.count(question.id) > 1:
                raise ValueError(f"two questions have the id {question.id!r}")
            for parent in question.parents:
                if parent == question.id or parent not in ids:
                    raise ValueError(f"question {question.id!r} depends on {parent!r}; name another question")
        return self

    def __bool__(self) -> bool:
        """Return whether anything is asked for."""
        return bool(self.include or self.exclude or self.relations or self.questions or self.texts)

    @property
    def has_objects(self) -> bool:
        """Whether objects are asked for, or asked not to be there."""
        return bool(self.include or self.exclude)

    @property
    def is_counting(self) -> bool:
        """Whether an exact count is asked for, as by GenEval's tag ``counting`` and no other tag."""
        return bool(self.exclude)

    @property
    def labels(self) -> frozenset[str]:
        """Every class that is named."""
        related = {label for one in self.relations for label in (one.first, one.second)}
        return frozenset({one.label for one in self.include} | {one.label for one in self.exclude} | related)

    @property
    def colours(self) -> frozenset[str]:
        """Every colour that is named."""
        return frozenset(clause.colour for clause in self.include if clause.colour is not None)

    def to_json(self) -> str:
        """Return the JSON that the column ``checks`` holds, without what is not asked; empty if nothing is."""
        return json.dumps(self.to_object(), ensure_ascii=False) if self else ""

    def to_object(self) -> dict[str, Any]:
        """Return the object that ``to_json`` writes."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


NOTHING = Checks()


def parse_checks(value: Any, where: str) -> Checks:
    """Return the checks that an object, or the text of its JSON, asks for; see ``Checks`` for its form.

    >>> parse_checks({"include": [{"class": "fish", "count": 2, "color": "red"}], "texts": ["OPEN"]}, "here").labels
    frozenset({'fish'})

    Args:
        value: ``{"include": [...], "exclude": [...], "relations": [...], "questions": [...], "texts": [...]}``, each
            part if it is asked.
        where: How a message begins: file and line.

    Raises:
        DataError: If it has not that form; says where, the key, what is wrong with it and the value.
    """
    try:
        given = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: checks: not JSON: {one_line(error)}") from error
    if not isinstance(given, dict):
        raise DataError(f"{where}: checks: must be an object with {', '.join(Checks.model_fields)}, got {given!r}")
    try:
        return Checks.model_validate(given)
    except ValidationError as error:
        raise DataError(f"{where}: checks: {what_is_wrong(causes(error)[0], Checks, given)}") from error


@lru_cache(maxsize=8192)  # the images of a prompt, under each model and setting, ask the same
def read_checks(text: str | None) -> Checks | None:
    """Return what the column ``checks`` of a row asks for; None if it is none of its form. An empty text asks nothing.

    >>> read_checks('{"texts": ["OPEN"]}').texts, read_checks("a red fish"), read_checks("") == NOTHING
    (('OPEN',), None, True)
    """
    if not text:
        return NOTHING
    try:
        return parse_checks(text, "")
    except DataError:
        return None


def asked_class(text: str | None) -> str | None:
    """Return the class of the first object that checks ask for; None where nobody knows.

    >>> asked_class('{"include": [{"class": "doctor", "count": 1}]}'), asked_class("")
    ('doctor', None)
    """
    checks = read_checks(text)
    return checks.include[0].label if checks is not None and checks.include else None
