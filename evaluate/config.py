"""What an evaluation can be told: the model behind the YAML, put together from what each room can be told.

Defaults live here and in the ``choices`` of the rooms, and nowhere else.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from diptych.config.identity import CameLater
from diptych.config.places import ProblemAt
from diptych.config.schema_words import said
from diptych.config.settings import NO_OTHER_LABEL, Place
from diptych.errors import ConfigError
from diptych.evaluate.agreements.choices import AgreementChoice
from diptych.evaluate.audits.choices import Audit
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.inputs.choices import DatasetChoice, StatisticsChoice
from diptych.evaluate.metrics.choices import DistanceChoice, MeanChoice
from diptych.evaluate.protocols.choices import ProtocolChoice, check_labels, protocol_scores
from diptych.evaluate.protocols.contract import role_of
from diptych.evaluate.score_columns import ScoreColumns, find_score
from diptych.lookup import describe_unknown
from diptych.scores.choices import ScoreChoice, ScoringSettings
from diptych.scores.giving import possible_columns

COMPARED = ("means", "distances", "protocols")
ALL_ARE_REFERENCES: JsonDict = {
    "additionalProperties": {"required": ["role"], "properties": {"role": {"const": "reference"}}}
}
LABEL = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$"


class EvaluateConfig(ScoringSettings):
    """One evaluation."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {"properties": {"datasets": ALL_ARE_REFERENCES}},
            "if": said("compare"),
            "then": {"anyOf": [*map(said, COMPARED), {"properties": {"compare": said("encoders")}}]},
        }
    )

    job: Literal["evaluate"] = Field(description="what the file is for")
    name: str = Field("evaluation", pattern=LABEL, description="a rerun under the same name replaces the run")
    store: Place = Field(description="the DuckDB file that results go into; made where it is not there")
    datasets: Annotated[dict[Annotated[str, Field(pattern=LABEL)], DatasetChoice], NO_OTHER_LABEL] = Field(
        min_length=1, description="datasets by labels of your own, which all else names"
    )
    references: Annotated[dict[Annotated[str, Field(pattern=LABEL)], StatisticsChoice], NO_OTHER_LABEL, CameLater()] = (
        Field(default_factory=dict, description="files of statistics by labels, as references of distances")
    )
    distances: tuple[DistanceChoice, ...] = Field((), description="metrics of sets of images")
    means: tuple[MeanChoice, ...] = Field((), description="means of scores")
    protocols: tuple[ProtocolChoice, ...] = Field((), description="numbers of benchmarks, by judges of yours")
    agreements: tuple[AgreementChoice, ...] = Field(
        (), description="judges that are held against each other, or people"
    )
    compare: Compare | None = Field(None, description="which differences are told, and how; null tells none")
    noise_floor: Annotated[bool, CameLater()] = Field(
        False, description="whether it is told of each distance which one a model has to itself with other seeds"
    )
    audit: Audit | None = Field(None, description="what is looked for in the images of neutral prompts; null is none")

    @model_validator(mode="after")
    def _labels_fit(self) -> "EvaluateConfig":
        for label in self.references:
            if label in self.datasets:
                raise ProblemAt(("references", label), "a dataset has this label; give the file another one")
        for number, distance in enumerate(self.distances):
            _check(("distances", number, "encoder"), "encoder", [distance.encoder], self.encoders)
            references = [*self.datasets, *self.references]
            _check(("distances", number, "reference"), "dataset", distance.references, references)
            _check(("distances", number, "datasets"), "dataset", distance.datasets, self.datasets)
        self._check_paired()
        for number, mean in enumerate(self.means):
            _check(("means", number, "datasets"), "dataset", mean.datasets, self.datasets)
        for number, choice in enumerate(self.protocols):
            _check(("protocols", number, "judge"), "judge", _named(choice.judge), self.judges)
            _check(("protocols", number, "encoder"), "encoder", _named(choice.encoder), self.encoders)
            for ability, label in choice.beside.items():
                role = role_of(ability)
                known = self.encoders if role == "encoder" else self.judges
                _check(("protocols", number, "beside", ability), role, [label], known)
            _check(("protocols", number, "datasets"), "dataset", choice.datasets, self.datasets)
            choice.learn_judges(self.judges)
        check_labels(self.protocols, self.scores)
        for number, agreement in enumerate(self.agreements):
            _check(("agreements", number, "datasets"), "dataset", agreement.datasets, self.datasets)
        _check(("audit", "datasets"), "dataset", self.audit.datasets if self.audit else None, self.datasets)
        self._check_scores()
        self._check_compared()
        if not self.judged():
            raise ProblemAt(("datasets",), "all are references, so there is nothing to judge; give one another role")
        return self

    def _check_compared(self) -> None:
        """Check that there is something to compare, and that its encoders are there."""
        if self.compare is None:
            return
        _check(("compare", "encoders"), "encoder", self.compare.encoders, self.encoders)
        if not self.compare.encoders and not any(getattr(self, key) for key in COMPARED):
            said = "there is nothing to compare; name a score under means, a distance, a protocol or compare.encoders"
            raise ProblemAt(("compare",), said)

    def _check_scores(self) -> None:
        """Check that the columns that are named may be of a score, as far as that is known without its model."""
        possible = {label: possible_columns(*choice.spec) for label, choice in self.every_score.items()}
        columns = ScoreColumns({}, possible)
        named: dict[tuple[str | int, ...], str] = {
            ("means", number, "score"): mean.score for number, mean in enumerate(self.means)
        }
        sides = [(number, side) for number in range(len(self.agreements)) for side in ("a", "b")]
        named |= {("agreements", number, side): getattr(self.agreements[number], side) for number, side in sides}
        named |= {} if self.audit is None else {("audit", "attribute"): self.audit.attribute}
        for place, name in named.items():
            try:
                find_score("", name, columns)
            except ConfigError as error:
                raise ProblemAt(place, str(error).removeprefix(": ")) from error

    def _check_paired(self) -> None:
        """Check that no two distances disagree on whether the images of a dataset are versions of the reference's."""
        said: dict[object, tuple[int, bool]] = {}
        for number, distance in enumerate(self.distances):
            for label in self.measured(distance):
                place, is_paired = said.setdefault((str(distance), label), (number, distance.paired))
                if is_paired != distance.paired:
                    raise ProblemAt(
                        ("distances", number),
                        f"{distance} of {label!r} is paired here or in distances.{place} and not "
                        f"in the other; say the same in both",
                    )

    @property
    def every_score(self) -> dict[str, ScoreChoice]:
        """The scores of the config and those that its protocols are made of, by their labels."""
        return {**self.scores, **protocol_scores(self.protocols)}

    def judged(self, only: Iterable[str] | None = None) -> dict[str, DatasetChoice]:
        """Return the datasets to judge by label: those in ``only``, or all that are no reference."""
        if only is not None:
            return {label: self.datasets[label] for label in only}
        return {label: choice for label, choice in self.datasets.items() if choice.role != "reference"}

    def measured(self, distance: DistanceChoice) -> list[str]:
        """Return the labels of the datasets that a set metric is computed of: not of its own reference."""
        return [label for label in self.judged(distance.datasets) if label != distance.reference]

    @property
    def measured_against(self) -> list[tuple[str | None, str]]:
        """The labels of the reference and of the encoder of each distance."""
        return [(choice.reference, choice.encoder) for choice in self.distances]

    def scored(self) -> set[str]:
        """Return the labels of the datasets to compute scores over."""
        named = [mean.datasets for mean in self.means] + [choice.datasets for choice in self.protocols]
        named += [agreement.datasets for agreement in self.agreements]
        named += [self.audit.datasets] if self.audit else []
        return {*self.judged(), *(label for labels in named for label in labels or ())}


def _named(label: str | None) -> list[str]:
    return [] if label is None else [label]


def _check(place: tuple[str | int, ...], kind: str, labels: Iterable[str] | None, known: Iterable[str]) -> None:
    for label in labels or ():
        if label not in known:
            raise ProblemAt(place, describe_unknown(kind, label, known))
