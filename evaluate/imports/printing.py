"""What the command says of an import: what matched, what did not, and the lines that a config needs."""

from collections.abc import Sequence
from typing import Any

from diptych.errors import ConfigError
from diptych.evaluate.imports.writing import Imported, misfit_lines


def renamed_models(given: Sequence[str]) -> dict[str, str]:
    """Return what ``THEIRS=OURS`` say.

    Raises:
        ConfigError: If one has another form or a model is renamed twice.
    """
    renamed: dict[str, str] = {}
    for one in given:
        theirs, equals, ours = one.partition("=")
        if not (theirs and equals and ours) or theirs in renamed:
            raise ConfigError(f"--model: {one!r}: say THEIRS=OURS, once for each model of the file")
        renamed[theirs] = ours
    return renamed


def imported_facts(made: Imported, judge: str) -> dict[str, Any]:
    """Return an import as JSON-able values."""
    matched = made.matched
    return {
        "evidence": str(made.place),
        "is_new": made.is_new,
        "images": made.images,
        "images_answered": len(matched.answers),
        "answered": made.states.get("", 0),
        "unanswered": {state: count for state, count in sorted(made.states.items()) if state},
        "repeated": matched.repeated,
        "misfits": {why: {"records": len(lines), "first_line": lines[0]} for why, lines in matched.misfits.items()},
        "other_models": dict(matched.other_models),
        "judges": _judges(made, judge),
    }


def imported_lines(made: Imported, judge: str) -> list[str]:
    """Return an import in words."""
    facts = imported_facts(made, judge)
    unanswered = ", ".join(f"{count:,} {state}" for state, count in facts["unanswered"].items())
    options = facts["judges"][judge]["options"]
    matched = made.matched
    return [
        f"{made.place}: {'written' if made.is_new else 'is there already'}",
        f"images     {made.images:,}, of which {len(matched.answers):,} have an answer",
        f"questions  {facts['answered']:,} answered{f'; without an answer: {unanswered}' if unanswered else ''}",
        *([f"repeated   {matched.repeated:,} records"] if matched.repeated else []),
        *(f"left out   {line}" for line in misfit_lines(matched)),
        "Next, in a config:",
        "  judges:",
        f"    {judge}: {{kind: imported, options: {{name: {options['name']}, content: '{options['content']}'}}}}",
    ]


def _judges(made: Imported, judge: str) -> dict[str, Any]:
    return {judge: {"kind": "imported", "options": {"name": judge, "content": made.content}}}
