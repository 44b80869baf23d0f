"""What the command says of an import: what matched, what did not, and the lines that a config needs."""

import json
from typing import Any

from diptych.evaluate.imports.writing import Imported, misfit_lines


def imported_facts(made: Imported, judge: str) -> dict[str, Any]:
    """Return an import as JSON-able values."""
    matched, rows = made.matched, made.rows
    return {
        "evidence": str(made.place),
        "is_new": made.is_new,
        "images": sum(some is not None for some in rows.records),
        "images_told": rows.told,
        **rows.facts,
        "repeated": matched.repeated,
        "misfits": {
            why: {"records": len(places), f"first_{places[0].noun}": places[0].number}
            for why, places in matched.misfits.items()
        },
        "other_models": dict(matched.other_models),
        "judges": {judge: {"kind": "imported", "options": dict(made.options)}},
    }


def imported_lines(made: Imported, judge: str) -> list[str]:
    """Return an import in words."""
    facts = imported_facts(made, judge)
    noun, words = made.rows.line
    return [
        f"{made.place}: {'written' if made.is_new else 'is there already'}",
        f"images     {facts['images_told']:,} in the file, {facts['images']:,} with evidence",
        f"{noun:<10} {words}",
        *([f"repeated   {facts['repeated']:,} records"] if facts["repeated"] else []),
        *(f"left out   {line}" for line in misfit_lines(made.matched)),
        "Next, in a config:",
        "  judges:",
        f"    {judge}: {{kind: imported, options: {{{', '.join(map(_option, made.options.items()))}}}}}",
    ]


def _option(item: tuple[str, Any]) -> str:
    name, value = item
    return (
        f"{name}: '{value}'"
        if name == "content"
        else f"{name}: {value if isinstance(value, str) else json.dumps(value)}"
    )
