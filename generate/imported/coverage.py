"""The coverage of an import: which images of those asked for are there, and what is wrong with the others.

Counted over the rows of the finished dataset, whichever run made them. An image counts once, under the first of the
kinds that it is of.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from diptych.data.dataset import Dataset
from diptych.data.row_states import EXTRA, MISNAMED, MISSING, ONE_COLOURED, REPEATED, UNMATCHED
from diptych.data.schema import FILE
from diptych.data.shards import read_shard, reading
from diptych.generate.backends.asked import Size
from diptych.generate.imported.placing import CONTRADICTED
from diptych.generate.imported.rows import TILE
from diptych.generate.rows import OK

COVERAGE = "coverage.json"  # beside the dataset
COLUMNS = (FILE, "caption", "prompt_id", "model", "setting", "sample", "status", "error", "sha256", "width", "height")

UNREADABLE, BLANK, DUPLICATE, WRONG_SIZE = "unreadable", "blank", "duplicate", "wrong_size"
# In the order in which they go before one another.
KINDS: Mapping[str, str] = {
    MISSING: "asked for, and no file there",
    UNREADABLE: "a file that is no whole picture",
    MISNAMED: "a name that the layout does not give; not used",
    UNMATCHED: "of no prompt of the set; not used",
    EXTRA: "its place is taken, or not asked for; not used",
    BLANK: "of one colour",
    DUPLICATE: "the same bytes or pixels as another, or a file that is named twice",
    CONTRADICTED: "one prompt by its name or the id in a table, and another by the text in the table or the image",
    WRONG_SIZE: "of another size than asked for, or than most",
}


class Flaw(NamedTuple):
    """What is wrong with one image.

    Attributes:
        kind: Of ``KINDS``.
        file: Within the source; None where there is none.
        prompt_id: Of its prompt; None where it has none.
        sample: Which of the images of the prompt; None where it has no place.
        model: The column ``model``.
        what: In words.
        tile: Which image of its file, by rows from 0; None where it is the only one.
    """

    kind: str
    file: str | None
    prompt_id: str | None
    sample: int | None
    model: str | None
    what: str
    tile: int | None


class Coverage(NamedTuple):
    """What an import found.

    Attributes:
        rows: Of the dataset.
        usable: Rows with a picture in its place.
        places: Rows that are a place of a prompt, also where no image is.
        flaws: What is wrong, in the order of the kinds and the rows.
        sizes: By model and setting, how often each size stands there.
        unprompted: Files of pictures of which nothing says what they were asked for.
    """

    rows: int
    usable: int
    places: int
    flaws: tuple[Flaw, ...]
    sizes: Mapping[tuple[str | None, str | None], Counter[Size]]
    unprompted: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many images are of each kind; all kinds, also those of none."""
        counted = Counter(flaw.kind for flaw in self.flaws)
        return {kind: counted[kind] for kind in KINDS}


def coverage_of(dataset: Dataset, size: Size | None) -> Coverage:
    """Return the coverage of an import.

    Args:
        dataset: What came of it.
        size: That pictures have to have; None for the size that more than half of a model and setting have.
    """
    rows = list(_rows(dataset))
    sizes: dict[tuple[str | None, str | None], Counter[Size]] = defaultdict(Counter)
    for row in rows:
        if row["width"] is not None and row["status"] == OK:
            sizes[row["model"], row["setting"]][Size(row["width"], row["height"])] += 1
    wanted = {by: size or _most(counts) for by, counts in sizes.items()}
    first: dict[str, Mapping[str, Any]] = {}
    flaws = [flaw for row in rows if (flaw := _flaw_of(row, wanted, first)) is not None]
    order = list(KINDS)
    return Coverage(
        len(rows),
        sum(1 for row in rows if row["status"] == OK),
        sum(1 for row in rows if row["sample"] is not None and row["status"] != EXTRA),
        tuple(sorted(flaws, key=lambda flaw: order.index(flaw.kind))),
        sizes,
        tuple(row[FILE] for row in rows if row["status"] == OK and not row["caption"]),
    )


def coverage_facts(coverage: Coverage) -> dict[str, Any]:
    """Return a coverage as JSON-able values."""
    sizes = [
        {"model": model, "setting": setting, "size": f"{size.width}x{size.height}", "images": many}
        for (model, setting), counts in coverage.sizes.items()
        for size, many in counts.most_common()
    ]
    return {
        "rows": coverage.rows,
        "usable": coverage.usable,
        "places": coverage.places,
        "counts": coverage.counts,
        "sizes": sizes,
        "unprompted": list(coverage.unprompted),
        "flaws": [flaw._asdict() for flaw in coverage.flaws],
    }


def _rows(dataset: Dataset) -> Iterator[Mapping[str, Any]]:
    for file in dataset.files:
        with reading(file) as parquet:
            has_tiles = TILE in parquet.schema_arrow.names
        yield from read_shard(file, [*COLUMNS, TILE] if has_tiles else list(COLUMNS)).to_pylist()


def _most(counts: Counter[Size]) -> Size | None:
    size, many = counts.most_common(1)[0]
    return size if 2 * many > counts.total() else None


def _flaw_of(
    row: Mapping[str, Any],
    wanted: Mapping[tuple[str | None, str | None], Size | None],
    first: dict[str, Mapping[str, Any]],
) -> Flaw | None:
    """Return what is wrong with a row; ``first`` keeps the row in which some bytes were seen first."""
    for kind, what in _problems(row, wanted.get((row["model"], row["setting"])), first):
        return Flaw(kind, row[FILE], row["prompt_id"], row["sample"], row["model"], what, row.get(TILE))
    return None


def _problems(
    row: Mapping[str, Any], size: Size | None, first: dict[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    status, error = row["status"], row["error"] or ""
    if status == MISSING:
        yield MISSING, error
    if status not in (OK, MISSING, MISNAMED, UNMATCHED, EXTRA):
        yield UNREADABLE, f"{status}: {error}".removesuffix(": ")
    double = "" if error.startswith(ONE_COLOURED) else _double(row, first)
    if status in (MISNAMED, UNMATCHED, EXTRA):
        yield status, "; ".join(filter(None, (error, double)))
    if error.startswith(ONE_COLOURED):
        yield BLANK, error.removeprefix(f"{ONE_COLOURED}: ")
    if status == OK and error.startswith(REPEATED):
        yield DUPLICATE, error.removeprefix(f"{REPEATED}: ")
    if double:
        yield DUPLICATE, double
    if status == OK and error.startswith(CONTRADICTED):
        yield CONTRADICTED, error.removeprefix(f"{CONTRADICTED}: ")
    if size is not None and row["width"] is not None and (row["width"], row["height"]) != size:
        yield WRONG_SIZE, f"{row['width']}x{row['height']}, not {size.width}x{size.height}"


def _double(row: Mapping[str, Any], first: dict[str, Mapping[str, Any]]) -> str:
    """Return of which row's picture a row has the bytes; empty where nobody had them before."""
    if row["sha256"] is None:
        return ""
    seen = first.setdefault(row["sha256"], row)
    if seen is row:
        return ""
    tile, is_file = seen.get(TILE), seen[FILE] == row[FILE]
    if is_file and tile == row.get(TILE):
        return f"named twice: sample {seen['sample']} of the prompt {seen['prompt_id']!r}, too"
    where = seen[FILE] if tile is None else f"tile {tile} of {'the grid' if is_file else seen[FILE]}"
    whose = f"the same bytes as {where}"
    is_of_one = None in (seen["prompt_id"], row["prompt_id"]) or seen["prompt_id"] == row["prompt_id"]
    return whose if is_of_one else f"{whose}, of the prompt {seen['prompt_id']!r}"
