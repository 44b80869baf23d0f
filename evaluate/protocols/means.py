"""From the protocols of a config to the means that are computed of their scores."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from diptych.data.column_names import full_name
from diptych.data.generated_columns import CATEGORY
from diptych.evaluate.inputs.choices import Datasets
from diptych.evaluate.metrics.means import AskedMean
from diptych.evaluate.protocols import find_protocol
from diptych.evaluate.protocols.choices import ProtocolChoice
from diptych.evaluate.protocols.contract import Protocol


class ProtocolMean(NamedTuple):
    """One rule of one protocol by one judge: what is averaged, and of which datasets."""

    protocol: Protocol
    asked: AskedMean
    datasets: Datasets


def protocol_means(choices: Iterable[ProtocolChoice]) -> Iterator[ProtocolMean]:
    """Yield the means of protocols: of each group, and of its categories."""
    for choice in choices:
        protocol = find_protocol(choice.protocol)
        for name in choice.counted:
            rule = protocol.rules[name]
            facts: Mapping[str, Any] = {"protocol": {"name": protocol.name, "rule": name, "version": 1}}
            column = full_name(choice.label(name), rule.column)
            for by in dict.fromkeys((choice.by, tuple(dict.fromkeys((*choice.by, CATEGORY))))):
                yield ProtocolMean(protocol, AskedMean(column, by, protocol.prompts, facts), choice.datasets)
