"""Of which metrics the differences of a config will be, before anything is scored, and its margins by their names.

Which of them a difference then has depends on the images: a distance of versions of the same pictures is another value.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.data.column_names import find_name, full_name
from diptych.errors import ConfigError
from diptych.evaluate.comparisons.choices import Compare
from diptych.evaluate.metrics.choices import DistanceChoice, MeanChoice
from diptych.evaluate.metrics.contract import set_metric
from diptych.evaluate.metrics.distances import key_of, value_names
from diptych.evaluate.metrics.means import AskedMean
from diptych.evaluate.protocols.choices import ProtocolChoice
from diptych.evaluate.protocols.contract import TextErrors
from diptych.evaluate.protocols.means import counted_rules, own_means
from diptych.evaluate.protocols.pools import pool_name
from diptych.evaluate.score_columns import ScoreColumns


@dataclass(frozen=True)
class ComparedMetrics:
    """The names of the metrics that differences may be of.

    Attributes:
        names: Those that are known.
        are_all: Whether there is no other: the names of some distances depend on the encoder's weights.
        of_labels: Names that stand for one of several labels each, as long as only models know which.
    """

    names: Sequence[str]
    are_all: bool = True
    of_labels: frozenset[str] = frozenset()

    def find(self, name: str, where: str) -> str:
        """Return the full name that a name stands for; the name itself where only a model knows.

        Raises:
            ConfigError: If there is none, or several labels have it.
        """
        try:
            return find_name(name, self.names, what="metric", where=where)
        except ConfigError:
            if not self.are_all or name.rpartition(".")[2] in self.of_labels:
                return name
            raise


def compared_metrics(
    compare: Compare,
    means: Iterable[MeanChoice],
    protocols: Sequence[ProtocolChoice],
    distances: Sequence[DistanceChoice],
    columns: ScoreColumns,
    encoders: Mapping[str, Mapping[str, Any]],
) -> ComparedMetrics:
    """Return of which metrics the differences of a config may be.

    Args:
        compare: What is compared.
        means: Those of the config, with the full names of their columns.
        protocols: Those of the config.
        distances: Those of the config.
        columns: Those of its scores, as far as they are known.
        encoders: The identity of each encoder by its label, where it is known.
    """
    own = own_means(protocols)
    asked = [own[mean.score][1] if mean.score in own else AskedMean(mean.score) for mean in means]
    found = [each.metric_name for each in asked if "." in each.score]
    loose = {each.metric_name for each in asked if "." not in each.score and columns.may_have(each.score)}
    found += _of_protocols(protocols)
    paired = [choice for choice in distances if compare.by in choice.by]
    named, are_all = value_names(distances, encoders), True
    for choice in paired:
        found += named[key_of(choice)].values()
        are_all = are_all and (set_metric(choice.metric).names is None or choice.encoder in encoders)
    return ComparedMetrics(list(dict.fromkeys([*found, *loose])), are_all, frozenset(loose))


def margins_in_full(margins: Mapping[str, float], metrics: ComparedMetrics) -> dict[str, float]:
    """Return the margins of a config by the full names of their metrics.

    Raises:
        ConfigError: If one is of a metric that no difference can be of, or two are of one metric.
    """
    found: dict[str, float] = {}
    for given, margin in margins.items():
        where = f"compare.margins.{given}: "
        name = metrics.find(given, where)
        if name in found:
            raise ConfigError(f"{where}{name} has two margins, {found[name]:g} and {margin:g}; give one")
        found[name] = margin
    return found


def _of_protocols(protocols: Sequence[ProtocolChoice]) -> Iterator[str]:
    for rule in counted_rules(protocols):
        if rule.mean is not None:
            yield rule.mean.metric_name
        if rule.rule.pool is not None and not isinstance(rule.rule.pool, TextErrors):
            yield full_name(rule.label, pool_name(rule.rule.pool))
