"""What an evaluation has found so far, on its way into the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from diptych.config.identity import short_id
from diptych.store.store import AuditRow, DifferenceRow, ResultRow


@dataclass
class Findings:
    """Rows of one run in the order in which they were found, and the identities that they name."""

    run_id: str
    identities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    results: list[ResultRow] = field(default_factory=list)
    differences: list[DifferenceRow] = field(default_factory=list)
    audits: list[AuditRow] = field(default_factory=list)

    def placed_results(self) -> list[ResultRow]:
        """Return the results, each with the place of its metric in the order in which the metrics were found."""
        places = {metric: place for place, metric in enumerate(dict.fromkeys(row.metric for row in self.results))}
        return [replace(row, place=places[row.metric]) for row in self.results]

    def identify(self, identity: Mapping[str, Any]) -> str:
        """Note an identity and return its id."""
        identity_id = short_id(identity)
        self.identities[identity_id] = identity
        return identity_id
