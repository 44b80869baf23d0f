import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import draw_dataset
from hypothesis import given
from hypothesis import strategies as st
from sealed import seal_dataset

from diptych.curate.conditions import TrialTable, check_expression, check_order, trial_table
from diptych.curate.config import Dedup, Rule
from diptych.curate.decisions import read_clusters, read_keep
from diptych.curate.duplicates.find import dedup
from diptych.curate.rules.funnel import evaluate
from diptych.curate.rules.select import select
from diptych.data.dataset import Dataset, open_dataset
from diptych.data.growing_sets import GrowingSet
from diptych.data.schema import data_schema
from diptych.data.shards import read_shard, shard_name, write_shard
from diptych.data.sql import connect
from diptych.data.table import DatasetTable
from diptych.errors import ConfigError, ShardError

STATUS = ["ok", "ok", "not_found", "ok", "ok", "ok"]
WIDTH = [100, 200, None, 300, 400, 500]
SCORE = [0.1, 0.9, None, 0.5, None, 0.7]


def make_dataset(path: Path, shard_rows: int = 4) -> Dataset:
    schema = data_schema()
    columns = {
        "key": [f"{row:03d}" for row in range(len(STATUS))],
        "status": STATUS,
        "width": WIDTH,
        "height": WIDTH,
        "caption": [f"caption {row}" for row in range(len(STATUS))],
    }
    nulls = [None] * len(STATUS)
    table = pa.table([pa.array(columns.get(field.name, nulls), field.type) for field in schema], schema=schema)
    infos = [
        write_shard(table.slice(start, shard_rows), path / "data" / shard_name(index))
        for index, start in enumerate(range(0, len(STATUS), shard_rows))
    ]
    return seal_dataset(path, infos, {"kind": "pairs", "name": "test"})


def add_scores(dataset: Dataset, name: str, values: list[float | None]) -> DatasetTable:
    growing = GrowingSet(dataset, "scores", name, {"score": name})
    growing.begin()
    start = 0
    for shard, file in zip(dataset.shards, dataset.files, strict=True):
        part = pa.array(values[start : start + shard.rows], pa.float32())
        table = pa.table(
            {"key": read_shard(file, ["key"])["key"], "score": part, "reason": pa.nulls(shard.rows, pa.string())}
        )
        growing.commit(write_shard(table, growing.location / shard.name, source=shard.sha256))
        start += shard.rows
    return DatasetTable(dataset, {name: growing.seal({"columns": [{"name": "score", "dtype": "float32"}]})})


def test_each_row_is_counted_where_it_is_lost_and_where_only_one_rule_loses_it(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    rules = [Rule(name="wide", where="width >= 200"), Rule(name="good", where="score >= 0.5")]
    funnel = evaluate(columns, rules)
    counts = [(step.rule, step.rows_in, step.rows_out, step.failed, step.lost_only_here) for step in funnel.steps]
    assert counts == [("readable", 6, 5, 1, 0), ("wide", 5, 4, 2, 0), ("good", 4, 3, 3, 1)]
    assert funnel.keep.tolist() == [False, True, False, True, False, True]
    assert funnel.first_failed.tolist() == [1, -1, 0, -1, 2, -1]


def test_a_rule_over_a_missing_value_does_not_hold_in_either_direction(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    above = evaluate(columns, [Rule(name="r", where="score > 0.4")]).keep
    below = evaluate(columns, [Rule(name="r", where="score <= 0.4")]).keep
    assert not above[4]
    assert not below[4]


def test_of_the_rows_that_a_rule_takes_those_are_counted_of_which_it_is_not_known(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    rules = [Rule(name="wide", where="width >= 300"), Rule(name="good", where="score >= 0.5")]
    steps = evaluate(columns, rules).steps
    lost = [(step.rule, step.rows_in - step.rows_out, step.without_value) for step in steps]
    assert lost == [("readable", 1, 0), ("wide", 2, 0), ("good", 1, 1)]
    (_, good) = evaluate(columns, rules[1:]).steps
    assert (good.rows_in - good.rows_out, good.without_value) == (2, 1), "the row without a picture is not its loss"


def test_rows_without_a_picture_are_never_kept(tmp_path: Path) -> None:
    assert not evaluate(DatasetTable(make_dataset(tmp_path), {}), []).keep[2]


@pytest.mark.parametrize("shard_rows", [1, 2, 5, 6])
def test_the_funnel_does_not_depend_on_how_the_rows_are_cut(shard_rows: int, tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path, shard_rows), "s", SCORE)
    assert evaluate(columns, [Rule(name="good", where="s.score >= 0.5")]).keep.tolist() == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]


def test_two_sets_with_a_column_of_one_name_are_told_apart_by_label(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    one, two = add_scores(dataset, "one", SCORE), add_scores(dataset, "two", SCORE[::-1])
    columns = DatasetTable(dataset, {**one.sets, **two.sets})
    assert evaluate(columns, [Rule(name="r", where="one.score > two.score")]).keep.tolist() == [False] * 5 + [True]
    with pytest.raises(ConfigError, match=r"rule 'r'.*score"):
        evaluate(columns, [Rule(name="r", where="score > 0")])


@pytest.mark.parametrize(
    "where",
    [
        "scoer > 1",
        "1 = 1); DROP TABLE data; --",
        "1 = 1) FROM data; SELECT (1",
        "(",
        "",
        "score > (SELECT count(*) FROM read_text('/etc/hostname'))",
        "score > (SELECT count(*) FROM glob('/*'))",
        "row_number() OVER (PARTITION BY status ORDER BY width) = 1",
        "EXISTS (SELECT 1)",
        "unnest([true, false])",
        "avg(width) > 5",
        "random() > 0.5",
        "getenv('HOME') <> ''",
        "now() > '2020-01-01'",
        "current_timestamp > '2020-01-01'",
        "Current_Date > DATE '2020-01-01'",
        "user = 'me'",
        "status = 'ok') THEN 0 ELSE -1 END + CASE WHEN (true",
        "true) FROM data WHERE (true",
        "caption::INT > 5",
        "width",
        "1",
        "null",
        "caption",
        "'width > 5'",
    ],
)
def test_what_is_not_one_condition_over_the_columns_is_refused_with_the_rule(where: str, tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    with pytest.raises(ConfigError, match="rule 'bad'") as caught:
        evaluate(columns, [Rule(name="bad", where=where)])
    assert "\n" not in str(caught.value)


def test_a_rule_that_is_neither_true_nor_false_says_what_it_is(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    with pytest.raises(
        ConfigError, match=r"'score' is of the type FLOAT, neither true nor false; compare it, as in wi"
    ):
        evaluate(columns, [Rule(name="r", where="score")])


def test_a_column_may_be_called_as_a_word_that_sql_has_a_value_for(tmp_path: Path) -> None:
    con = connect()
    trial = trial_table(con, {"data": pa.schema([("user", pa.string())])})
    check_expression(trial, "user = 'me'", where="rule")
    with pytest.raises(ConfigError, match="rule: current_user is not allowed; a rule looks at one row and always"):
        check_expression(trial, "current_user = 'me'", where="rule")


def test_a_rule_that_takes_too_long_is_broken_off_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    grown = "status"
    for _ in range(2):
        grown = f"replace({grown}, 'o', '{'o' * 120}')"
    slow = f"levenshtein({grown}, {grown} || 'x') > width"
    rules = [Rule(name="quick", where="score > 0"), Rule(name="slow", where=slow)]
    monkeypatch.setattr("diptych.curate.rules.funnel.LIMIT_S", 0.4)
    with pytest.raises(ConfigError, match=r"rule 'slow': .*: takes longer than 0 s"):
        evaluate(columns, rules)


def test_a_condition_that_takes_too_long_over_no_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diptych.curate.conditions.TRIAL_S", 0.05)
    trial = trial_table(connect(), {"data": pa.schema([("a", pa.int64())])})
    with pytest.raises(ConfigError, match="rule: takes longer than 0 s, and that over one row of nulls"):
        trial.check("SELECT length(repeat('x', 200000000)) > 1", where="rule")


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("len(Range(200000000)) > 5", "range()"),
        ("len(generate_series(1, a)) > 5", "generate_series()"),
        ("len(repeat('x', 2000000000)) > 5", "repeat()"),
        ("lpad('x', 2000000000, 'y') > 'x'", "lpad()"),
        ("rpad('x', 2000000000, 'y') > 'x'", "rpad()"),
        ("bit_count(bitstring('1', 2000000000)) > 5", "bitstring()"),
        ("len(list_resize([1], 2000000000)) > 5", "list_resize()"),
        ("format('{:>2000000000}', 'x') > 'x'", "format()"),
        ("printf('%2000000000s', 'x') > 'x'", "printf()"),
        ("list_reduce(['x', 'x', 'x'], lambda a, b: a || a) > 'x'", "list_reduce()"),
        ("len([[y for y in [1, 2]] for x in [1, 2]]) > 5", "a lambda within another"),
        ("NULL::INT[90000][90000] IS NULL", "a fixed-size array within another"),
    ],
)
def test_what_could_make_a_value_of_any_size_is_refused_before_it_is_tried(where: str, what: str) -> None:
    untouched = TrialTable(connect(), "no table", {"data": pa.schema([("a", pa.int64())])})
    with pytest.raises(ConfigError, match=rf"^rule: {re.escape(what)} is not allowed, as a value of any size"):
        check_expression(untouched, where, where="rule")
    with pytest.raises(ConfigError, match=rf"^rule: {re.escape(what)} is not allowed, as a value of any size"):
        check_order(untouched, where, where="rule")


def test_lambdas_and_arrays_beside_one_another_are_allowed() -> None:
    trial = trial_table(connect(), {"data": pa.schema([("a", pa.int64())])})
    text = "len([y for y in [1, a]]) > len(list_filter([a], lambda x: x > 1)) AND NULL::INT[3] IS NULL"
    check_expression(trial, text, where="rule")


def test_a_comment_at_the_end_of_a_rule_hides_nothing(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    assert evaluate(columns, [Rule(name="r", where="score >= 0.5 -- good")]).keep.sum() == 3


def test_answers_keep_the_order_of_many_rows_in_many_shards(tmp_path: Path) -> None:
    rows, generator = 300_000, np.random.default_rng(0)
    values = generator.random(rows).astype(np.float32)
    schema = data_schema()
    nothing = pa.nulls(10_000)
    infos = []
    for index in range(rows // 10_000):
        keys = [f"{row:06d}" for row in range(index * 10_000, (index + 1) * 10_000)]
        known = {"key": keys, "status": ["ok"] * 10_000, "width": list(range(10_000))}
        columns = [pa.array(known[f.name], f.type) if f.name in known else nothing.cast(f.type) for f in schema]
        infos.append(write_shard(pa.table(columns, schema=schema), tmp_path / "data" / shard_name(index)))
    dataset = seal_dataset(tmp_path, infos, {"kind": "pairs", "name": "test"})
    scored = add_scores(dataset, "s", values.tolist())
    assert np.array_equal(evaluate(scored, [Rule(name="r", where="score > 0.5")]).keep, values > 0.5)
    ranked = np.lexsort((np.arange(rows), values))
    run = dedup(scored, Dedup(exact=False, prefer="score"))
    _, rank = read_clusters(run.decisions)
    assert np.array_equal(np.argsort(rank), ranked)


def test_a_cluster_keeps_its_best_copy_of_those_that_pass(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    found = dedup(columns, Dedup(exact=False, perceptual="7", prefer="width DESC"))
    rules = [Rule(name="narrow", where="width < 400")]
    run = select(columns, rules, found.decisions)
    assert read_keep(run.decisions).tolist() == [False, False, False, True, False, False]
    assert run.steps[-1][:1] + run.steps[-1][2:] == ("duplicate", 3, 1, 2, 2, 0)
    reasons = [row["reason"] for file in run.decisions.files for row in read_shard(file).to_pylist()]
    assert reasons == ["duplicate", "duplicate", "readable", None, "narrow", "narrow"]


def test_no_image_byte_is_read(tmp_path: Path) -> None:
    dataset = draw_dataset(tmp_path, rows=6, rows_per_shard=3)
    columns, rules = DatasetTable(dataset, {}), [Rule(name="r", where="length(caption) > 20")]
    before = evaluate(columns, rules)
    for file in dataset.files:
        whole = bytearray(file.read())
        group = pq.ParquetFile(file).metadata.row_group(0)
        chunks = [group.column(number) for number in range(group.num_columns)]
        image = next(chunk for chunk in chunks if chunk.path_in_schema == "image.bytes")
        start = image.data_page_offset
        whole[start : start + image.total_compressed_size] = bytes(image.total_compressed_size)
        file.path.write_bytes(whole)
    with pytest.raises(ShardError):
        read_shard(dataset.files[0])
    after = evaluate(columns, rules)
    assert before.steps == after.steps
    assert np.array_equal(before.masks, after.masks)


def test_select_writes_reasons_row_by_row_and_is_not_done_twice(tmp_path: Path) -> None:
    columns = add_scores(make_dataset(tmp_path), "s", SCORE)
    rules = [Rule(name="wide", where="width >= 200"), Rule(name="good", where="score >= 0.5")]
    first, again = select(columns, rules), select(columns, rules)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.steps == again.steps
    rows = [row for file in first.decisions.files for row in read_shard(file).to_pylist()]
    assert [row["reason"] for row in rows] == ["wide", None, "readable", None, "good", None]
    assert read_keep(first.decisions).tolist() == [row["keep"] for row in rows]
    changed = select(columns, [Rule(name="wide", where="width >= 400")])
    assert changed.is_new
    assert read_keep(open_dataset(tmp_path).column_set("decisions", "select")).sum() == 2  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 7), min_size=1, max_size=60))
def test_the_counts_add_up_for_any_masks(masks: list[int]) -> None:
    from diptych.curate.rules.funnel import RuleAnswers, _steps

    rules = [Rule(name=name, where="true") for name in ("a", "b", "c")]
    steps = _steps(rules, RuleAnswers(np.array(masks, np.uint64), np.ones(len(masks), np.bool_)))
    assert steps[0].rows_in == len(masks)
    assert all(before.rows_out == after.rows_in for before, after in pairwise(steps))
    assert steps[-1].rows_out == masks.count(0)
    assert [step.lost_only_here for step in steps] == [masks.count(1), masks.count(2), masks.count(4)]
    assert [step.without_value for step in steps] == [step.rows_in - step.rows_out for step in steps]
