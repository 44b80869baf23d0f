from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sealed import seal_dataset

from diptych.curate.config import Dedup
from diptych.curate.duplicates import reading
from diptych.curate.duplicates.reading import read_rows
from diptych.data import sql
from diptych.data.schema import data_schema
from diptych.data.shards import shard_name, write_shard
from diptych.data.table import DatasetTable
from diptych.errors import DataError

ROWS = 5_000
PICTURES = 1_700  # row n shows picture n % 1,700; each fifth row could not be read


def make_table(path: Path) -> DatasetTable:
    numbers = np.arange(ROWS)
    columns = {
        "key": [f"k{number}" for number in numbers],
        "width": numbers % 7,
        "sha256": [sha256(str(number % PICTURES).encode()).hexdigest() for number in numbers],
        "status": np.where(numbers % 5 == 0, "broken", "ok"),
    }
    schema = data_schema()
    table = pa.table([pa.array(columns.get(each.name, [None] * ROWS), each.type) for each in schema], schema=schema)
    cuts = [(0, 2_100), (2_100, 100), (2_200, 2_800)]
    infos = [write_shard(table.slice(*cut), path / "data" / shard_name(index)) for index, cut in enumerate(cuts)]
    return DatasetTable(seal_dataset(path, infos, {}), {})


@pytest.mark.parametrize("batch", [2_048, 1 << 17])
def test_values_lie_where_their_rows_are_however_they_came(
    batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "BATCH_ROWS", batch)
    own = "CASE WHEN width <> 3 THEN width * 10 END"
    settings = Dedup(perceptual=own, variants=("length(key)",), prefer="width DESC")
    rows = read_rows(make_table(tmp_path), settings)
    numbers = np.arange(ROWS)
    assert rows.order.tolist() == np.lexsort((numbers, -(numbers % 7))).tolist()
    assert rows.has_hash.tolist() == [(numbers % 7 != 3).tolist(), [True] * ROWS]
    assert rows.hashes[0, rows.has_hash[0]].tolist() == (numbers[numbers % 7 != 3] % 7 * 10).tolist()
    assert rows.hashes[1].tolist() == [len(f"k{number}") for number in numbers]
    for number, first in enumerate(rows.first_of_equals.tolist()):
        same = [other for other in range(number % PICTURES, ROWS, PICTURES) if other % 5 != 0]
        assert first == (number if number % 5 == 0 else min(same, key=lambda row: (-(row % 7), row)))


def test_without_a_perceptual_hash_none_is_held(tmp_path: Path) -> None:
    rows = read_rows(make_table(tmp_path), Dedup())
    assert rows.hashes.shape == rows.has_hash.shape == (0, ROWS)


def test_more_rows_than_have_a_number_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(tmp_path)
    monkeypatch.setattr(reading, "MAX_ROWS", ROWS - 1)
    with pytest.raises(DataError, match=r"has 5,000 rows; dedup compares 4,999 at most"):
        read_rows(table, Dedup())
