"""T2I-CompBench: ``<category>/samples/<prompt>_<000000>.png``; its scripts read the prompt from the name.

The digits count the images of a category, as its scripts take them for the id of an image. Categories that differ in
case alone are counted as one, since they are one folder to some file systems.
"""

from collections import Counter
from collections.abc import Sequence

from diptych.errors import DataError
from diptych.generate.exported import ExportLayout, ExportRow, nothing_beside

MAX_NAME_BYTES = 255  # of most file systems
ENDING = "_000000.png"
NO_FOLDERS = ("", ".", "..")
FORBIDDEN = ("/", "_", "\0", "\n")  # ends a name, or the prompt in it


def _names(rows: Sequence[ExportRow]) -> list[str]:
    wrong = [row for row in rows if _cannot_be_named(row["caption"])]
    if wrong:
        raise DataError(
            f"{len(wrong):,} prompts cannot be the name of a file, such as {str(wrong[0]['caption'])[:80]!r}: "
            f"they have a '/', '_' or line break, or are too long, and T2I-CompBench reads them from names"
        )
    folders = {row["category"][0] for row in rows if row["category"]}
    if odd := sorted(name for name in folders if {"/", "\0"} & set(name) or name in NO_FOLDERS):
        raise DataError(f"the category {odd[0]!r} cannot be the name of a folder, as T2I-CompBench has one for each")
    counts: Counter[str] = Counter()
    names = []
    for row in rows:
        folder = f"{row['category'][0]}/samples" if row["category"] else "samples"
        one = folder.casefold()
        names.append(f"{folder}/{row['caption']}_{counts[one]:06d}.png")
        counts[one] += 1
    return names


def _cannot_be_named(prompt: str) -> bool:
    return any(sign in prompt for sign in FORBIDDEN) or len((prompt + ENDING).encode()) > MAX_NAME_BYTES


def _has_place(row: ExportRow) -> bool:
    return bool(row["caption"])


COMPBENCH = ExportLayout(_names, nothing_beside, of_one_model=True, has_place=_has_place)
