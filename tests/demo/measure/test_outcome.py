import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sealed import seal_dataset

from diptych.curate.decisions import Decisions, write_decisions
from diptych.data.dataset import Dataset
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.demo.measure import outcome
from diptych.demo.measure.outcome import MOST_ALIKE_FIRST, RULE_FOR, OutcomeTarget, kept_by_fault, target_lines, targets
from diptych.demo.world.faults import FAULTS
from diptych.errors import DataError, ShardError
from diptych.intervals import wilson

RULES = ["readable", "sharp", "not_flagged", "caption_fits", "duplicate"]


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
    infos = [
        write_shard(pa.table({"key": kept, "url": kept}), tmp_path / "selected" / "data" / shard_name(number))
        for number, kept in enumerate((["b", "c"], ["d", "f", "i", "j", "l"]))
    ]
    seal_dataset(tmp_path / "selected", infos, {"kind": "pairs", "name": "selected", "licence": "", "made_by": {}})
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


def make_pool(folder: Path, rows: list[tuple[list[str], int, str, str | None, int | None]]) -> Dataset:
    """Write truth and a decided pool from (faults, group, status, first rule failed, row it is linked to)."""
    urls = [f"http://127.0.0.1/{number}" for number in range(len(rows))]
    faults = pa.array([row[0] for row in rows], pa.list_(pa.string()))
    pq.write_table(
        pa.table({"url": urls, "faults": faults, "group": [row[1] for row in rows]}), folder / "truth.parquet"
    )
    records = [{"key": f"k{number}", "url": url, "status": rows[number][2]} for number, url in enumerate(urls)]
    shard = write_shard(pa.Table.from_pylist(records, schema=data_schema()), folder / "pool" / "data" / shard_name(0))
    dataset = seal_dataset(folder / "pool", [shard], {"kind": "pairs", "name": "test"})
    reason = np.array([RULES.index(row[3]) if row[3] else -1 for row in rows])
    funnel = {"funnel": [{"rule": rule} for rule in RULES]}
    write_decisions(dataset, "select", {}, Decisions(reason < 0, RULES, reason), funnel)
    link = np.array([-1 if row[4] is None else row[4] for row in rows])
    near = np.where(link < 0, -1, 0)
    write_decisions(dataset, "dedup", {}, Decisions(link < 0, ["near_duplicate"], near, link), {})
    return dataset


def test_rule_is_judged_on_the_rows_that_arrive_at_it(tmp_path: Path) -> None:
    make_pool(
        tmp_path,
        [
            ([], 0, "ok", None, None),
            (["flagged"], 1, "ok", "not_flagged", None),
            (["flagged", "mismatched"], 2, "ok", "not_flagged", None),  # does not arrive at the caption's rule
            (["blurred", "flagged"], 3, "ok", "sharp", None),  # arrives at neither
            ([], 4, "ok", "not_flagged", None),  # taken for flagged
            (["mismatched"], 5, "ok", "caption_fits", None),
            (["mismatched"], 6, "ok", None, None),  # missed
            (["mismatched"], 7, "not_found", "readable", None),
            (["watermarked"], 8, "ok", "duplicate", None),
        ],
    )
    found = {target.name: target for target in targets(tmp_path / "truth.parquet", tmp_path / "pool")}
    assert found["flagged"] == OutcomeTarget("flagged", wilson(2 / 3, 3), wilson(1.0, 2))
    assert found["mismatched"] == OutcomeTarget("mismatched", wilson(1.0, 1), wilson(0.5, 2))


def test_duplicates_are_judged_by_what_the_linked_rows_show(tmp_path: Path) -> None:
    make_pool(
        tmp_path,
        [
            ([], 0, "ok", None, None),
            (["cropped"], 0, "ok", None, 0),
            (["mirrored"], 0, "ok", None, None),  # missed
            (["exact_duplicate"], 0, "not_found", None, None),  # nobody can see that it is a copy
            ([], 4, "ok", None, 0),  # linked to another picture
            (["resized"], 5, "ok", None, None),  # the only one left of its picture
            ([], 6, "ok", None, 7),
            (["recompressed"], 6, "ok", None, None),
        ],
    )
    *_, found = targets(tmp_path / "truth.parquet", tmp_path / "pool")
    assert found == OutcomeTarget("duplicates", wilson(2 / 3, 3), wilson(2 / 3, 3))


def test_figure_without_a_row_behind_it_is_said_to_be_none(tmp_path: Path) -> None:
    make_pool(tmp_path, [([], 0, "ok", None, None)])
    found = targets(tmp_path / "truth.parquet", tmp_path / "pool")
    assert found == [OutcomeTarget(name, None, None) for name in (*RULE_FOR, outcome.DUPLICATES)]
    lines = target_lines([OutcomeTarget("flagged", wilson(1.0, 90), None)])
    assert " ".join(lines[1].split()) == "flagged 1.000 (0.959 to 1.000, n 90) nothing to judge by"


def test_steps_that_were_not_done_are_left_out(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, [([], 0, "ok", None, None)])
    shutil.rmtree(pool.path / "decisions" / "dedup")
    names = [target.name for target in targets(tmp_path / "truth.parquet", pool.path)]
    assert names == list(RULE_FOR)
    shutil.rmtree(pool.path / "decisions" / "select")
    assert targets(tmp_path / "truth.parquet", pool.path) == []


def test_no_figure_is_made_of_a_damaged_pool(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, [([], 0, "ok", None, None)])
    (shard,) = pool.files
    data = bytearray(shard.read())
    data[len(data) // 2] ^= 4
    shard.path.write_bytes(data)
    with pytest.raises(ShardError, match=r"00000\.parquet: is damaged"):
        targets(tmp_path / "truth.parquet", pool.path)


def test_pool_of_another_web_is_refused(tmp_path: Path) -> None:
    pool = make_pool(tmp_path, [([], 0, "ok", None, None)])
    truth = pa.table({"url": ["http://127.0.0.1/x"], "faults": pa.array([[]], pa.list_(pa.string())), "group": [0]})
    pq.write_table(truth, tmp_path / "other.parquet")
    with pytest.raises(DataError, match="it was made from another demo web"):
        targets(tmp_path / "other.parquet", pool.path)
