"""What the command says of an import: what matched, what did not, and the lines that a config needs."""

import json
from typing import Any

from diptych.evaluate.imports.records import unused_lines
from diptych.evaluate.imports.writing import Imported
from diptych.progress.wording import quantity


def imported_facts(made: Imported, judge: str) -> dict[str, Any]:
    """Return an import as JSON-able values."""
    matched, rows = made.matched, made.rows
    return {
        "evidence": str(made.place),
        "is_new": made.is_new,
        "images": sum(some is not None for some in rows.records),
        "images_told": rows.told,
        "images_untold": made.untold,
        **rows.facts,
        "records": {"read": matched.read, "used": matched.read - matched.left_out},
        "repeated": matched.repeated,
        "misfits": {
            why: {
                **misfit.counts,
                f"first_{misfit.records[0].place.noun}": misfit.records[0].place.number,
                **({"says": misfit.says} if misfit.says else {}),
            }
            for why, misfit in matched.misfits.items()
        },
        "other_models": dict(matched.other_models),
        "unused_columns": dict(made.unused),
        "judges": {judge: {"kind": "imported", "options": dict(made.options)}},
    }


def imported_lines(made: Imported, judge: str) -> list[str]:
    """Return an import in words."""
    facts = imported_facts(made, judge)
    noun, words = made.rows.line
    untold = f"; {made.untold:,} of the {quantity(made.pictures, 'picture')} without any" if made.untold else ""
    used, read = facts["records"]["used"], facts["records"]["read"]
    return [
        f"{made.place}: {'written' if made.is_new else 'is there already'}",
        f"images     {facts['images_told']:,} in the file, {facts['images']:,} with evidence{untold}",
        *([f"records    {used:,} of {read:,} used, the others left out"] if used < read else []),
        f"{noun:<10} {words}",
        *([f"repeated   {facts['repeated']:,} records"] if facts["repeated"] else []),
        *(f"left out   {line}" for line in made.matched.lines()),
        *(f"not used   {line}" for line in unused_lines(made.unused)),
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
