"""From the protocols of a config to what is computed of their scores: means over images, and pools of other things."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diptych.data.column_names import full_name
from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.inputs.choices import Datasets
from diptych.evaluate.metrics.means import AskedMean
from diptych.evaluate.protocols import find_protocol, text_errors
from diptych.evaluate.protocols.choices import ProtocolChoice
from diptych.evaluate.protocols.contract import Protocol, ProtocolRule, TextErrors, WeightedImages
from diptych.evaluate.protocols.parts import MEAN_OF_PARTS
from diptych.scores.question_accuracy import OUTCOMES

VERSION = 2  # of how a protocol's number is made of its rule


@dataclass(frozen=True)
class CountedRule:
    """One rule of one protocol by one judge or encoder.

    Attributes:
        protocol: Whose rule it is.
        name: Of the rule.
        label: Of its score.
        judge: Label of its judge; None where an encoder takes its place.
        datasets: Over which it is counted.
        groupings: Columns that make groups, one after the other.
    """

    protocol: Protocol
    name: str
    label: str
    judge: str | None
    datasets: Datasets
    groupings: Sequence[tuple[str, ...]]

    @property
    def rule(self) -> ProtocolRule:
        """The rule itself."""
        return self.protocol.rules[self.name]

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it adds to the identity of a number."""
        return {"protocol": {"name": self.protocol.name, "rule": self.name, "version": VERSION}}

    @property
    def scored(self) -> str:
        """A column of its score."""
        pool = self.rule.pool
        own = pool.column if isinstance(pool, WeightedImages) else OUTCOMES
        own = text_errors.COLUMNS[0] if isinstance(pool, TextErrors) else own
        return full_name(self.label, self.rule.column or own)

    @property
    def mean(self) -> AskedMean | None:
        """Its mean over images, in no group; None where it has none."""
        if self.rule.column is None:
            return None
        return self._mean_of(MEAN_OF_PARTS if self.rule.beside else self.rule.column)

    @property
    def worst(self) -> AskedMean | None:
        """The same if all without an answer were wrong."""
        if self.rule.column is None:
            return None
        own = MEAN_OF_PARTS if self.rule.beside else self.rule.column
        return replace(self._mean_of(self.rule.worst or own), counts_unscored=True)

    def _mean_of(self, column: str) -> AskedMean:
        asked = AskedMean(full_name(self.label, column), (), self.protocol.prompts, self.facts)
        return replace(
            asked,
            over=self.rule.mean_over,
            category_parts=self.rule.category_parts,
            with_category=self.rule.with_category,
        )


def counted_rules(choices: Iterable[ProtocolChoice]) -> Iterator[CountedRule]:
    """Yield the rules of the protocols of a config: each for its groups, and for these by category."""
    for choice in choices:
        protocol = find_protocol(choice.protocol)
        groupings = dict.fromkeys((choice.by, tuple(dict.fromkeys((*choice.by, CATEGORY)))))
        for name in choice.counted:
            yield CountedRule(protocol, name, choice.label(name), choice.judge, choice.datasets, tuple(groupings))


def own_means(choices: Iterable[ProtocolChoice]) -> dict[str, tuple[CountedRule, AskedMean]]:
    """Return the columns whose means are numbers of protocols, with what the mean of each is, whoever asks for it.

    A mean that a config names beside its protocols is then the protocol's number for other groups, and never a second
    one of that name.
    """
    found = {}
    for rule in counted_rules(choices):
        for mean in (rule.worst, rule.mean):  # where both are of one column, it is the mean that is meant
            if mean is not None:
                found[mean.score] = rule, mean
    return found
