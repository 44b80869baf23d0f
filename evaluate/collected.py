"""What an evaluation has found so far, on its way into the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    def identify(self, identity: Mapping[str, Any]) -> str:
        """Note an identity and return its id."""
        identity_id = short_id(identity)
        self.identities[identity_id] = identity
        return identity_id
