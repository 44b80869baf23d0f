from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from diptych.demo.faults import FAULTS
from diptych.demo.outcome import MOST_ALIKE_FIRST, kept_by_fault


def test_kept_rows_are_counted_by_what_is_wrong_with_them(tmp_path: Path) -> None:
    rows = [
        ("a", [], 0),
        ("b", ["cropped"], 0),  # a is gone: its copy stands for it
        ("c", [], 2),
        ("d", ["resized", "mismatched"], 2),  # kept beside c
        ("e", [], 4),
        ("f", ["blurred"], 5),
        ("g", ["not_found"], 6),
        ("h", [], 7),
        ("i", ["exact_duplicate"], 7),  # stands for h, and not the mirrored copy
        ("j", ["mirrored"], 7),
        ("k", ["no_caption"], 10),
        ("l", ["resized", "file_name"], 10),  # stands for k, whose fault is not kept by that
    ]
    urls, faults, groups = zip(*rows, strict=True)
    table = pa.table({"url": urls, "faults": pa.array(faults, pa.list_(pa.string())), "group": groups})
    pq.write_table(table, tmp_path / "truth.parquet")
    (tmp_path / "selected" / "data").mkdir(parents=True)
    for number, kept in enumerate((["b", "c"], ["d", "f", "i", "j", "l"])):
        pq.write_table(pa.table({"url": kept}), tmp_path / "selected" / "data" / f"{number}.parquet")
    found = {
        kept.fault: (kept.rows, kept.kept) for kept in kept_by_fault(tmp_path / "truth.parquet", tmp_path / "selected")
    }
    assert found == {
        "none": (4, 3),
        "cropped": (1, 0),
        "resized": (2, 1),
        "mismatched": (1, 1),
        "blurred": (1, 1),
        "no_caption": (1, 0),
        "file_name": (1, 1),
        "exact_duplicate": (1, 0),
        "mirrored": (1, 1),
        "not_found": (1, 0),
    }
    assert next(iter(found)) == "none"


def test_every_kind_of_copy_has_its_place_in_the_order_of_likeness() -> None:
    assert set(MOST_ALIKE_FIRST) == {name for name, fault in FAULTS.items() if fault.where == "copy"}
