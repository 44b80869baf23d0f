"""PNG files named as A1111 names them, ``00000-SEED.png``; how each was made stands in its ``parameters``."""

from collections.abc import Sequence

from diptych.generate.exported import ExportLayout, ExportRow, nothing_beside


def _names(rows: Sequence[ExportRow]) -> list[str]:
    ends = ["" if row["seed"] is None else f"-{row['seed']}" for row in rows]
    return [f"{number:05d}{end}.png" for number, end in enumerate(ends)]


A1111 = ExportLayout(_names, nothing_beside, of_one_model=False)
