"""Files of evidence for tests, and the command that stores what they say beside ``folder/generated``."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from diptych.cli import main
from diptych.data.dataset import open_dataset
from diptych.judges.evidence import EvidenceKind, Seen, read_evidence


def import_file(folder: Path, name: str, text: str, *more: str, form: str = "answers", judge: str = "pali") -> Result:
    """Write a file and import it."""
    (folder / name).write_text(text, encoding="utf-8")
    given = [str(folder / "generated"), str(folder / name), "--format", form, "--judge", judge]
    return CliRunner().invoke(main, ["evaluate", "import-evidence", *given, *more])


def imported_facts(
    folder: Path, name: str, text: str, *more: str, form: str = "answers", judge: str = "pali"
) -> dict[str, Any]:
    """Return what the command says of an import that goes well."""
    result = import_file(folder, name, text, "--json", *more, form=form, judge=judge)
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def refusal(result: Result) -> str:
    """Return the one line of an import that was refused."""
    assert result.exit_code != 0
    assert result.output.count("\n") == 1, result.output
    return result.output


def lines_of(*records: Any) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def stored(folder: Path, kind: EvidenceKind[Any]) -> Seen[Any]:
    """Return the only evidence beside the dataset, of all rows."""
    (evidence,) = open_dataset(folder / "generated").column_sets("evidence")
    parts = [read_evidence(kind, file) for file in evidence.files]
    return Seen([one for part in parts for one in part.records], [why for part in parts for why in part.reasons])
