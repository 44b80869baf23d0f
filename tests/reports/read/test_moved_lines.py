"""What a moved line would keep, against the rules of curate themselves."""

from itertools import product

import numpy as np
import pytest
from report_world import World

from diptych.curate.config import Rule
from diptych.curate.decisions import read_clusters
from diptych.curate.rules.funnel import evaluate, keep_one_of_each
from diptych.data.table import open_table
from diptych.reports.read.moved_lines import _count, moved_line
from diptych.reports.read.pool import Pool, open_pool
from diptych.reports.read.thresholds import Threshold


@pytest.fixture(scope="module")
def pool(world: World) -> Pool:
    return open_pool(world.pool)


@pytest.mark.parametrize("name", ["large_enough", "sharp", "not_noisy", "has_words"])
def test_a_moved_line_keeps_what_curate_would_keep_also_of_copies(pool: Pool, name: str) -> None:
    number = next(place for place, step in enumerate(pool.steps) if step["rule"] == name)
    (threshold,) = pool.thresholds[name]
    moved = moved_line(pool, number, threshold, threshold.value / 50, threshold.value * 3)
    assert moved.lines[moved.own] == threshold.value
    table = open_table(pool.dataset)
    clusters = read_clusters(table.sets["dedup"])
    seen = set()
    for place in [moved.own, *moved.places[:: max(1, len(moved.places) // 6)]]:
        before, after = threshold.around
        where = f"{before}{moved.lines[place]!r}{after}"
        rules = [Rule(name=step["rule"], where=step["where"]) for step in pool.rules[1:]]
        rules[number - 1] = Rule(name=name, where=where)
        funnel = keep_one_of_each(evaluate(table, rules), clusters)
        assert moved.final is not None
        assert moved.final.kept(threshold, place) == int(funnel.keep.sum()), where
        assert moved.alone.kept(threshold, place) == len(table) - funnel.steps[number].failed, where
        seen.add(moved.final.kept(threshold, place))
    assert len(seen) > 1


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
def test_counts_at_a_line_follow_the_operator(sign: str) -> None:
    values = np.array([1.0, 2.0, 2.0, 3.0, np.inf])
    threshold = Threshold("a", "a", sign, 2.0)
    counts = _count(values, np.array([0.0, 2.0, 9.0]))
    expected = {">": [5, 2, 1], ">=": [5, 4, 1], "<": [0, 1, 4], "<=": [0, 3, 4]}[sign]
    assert [counts.kept(threshold, line) for line in range(3)] == expected
    assert [int(threshold._replace(value=line).keeps(values).sum()) for line in (0.0, 2.0, 9.0)] == expected


def test_a_line_in_single_precision_lies_where_duckdb_has_it(pool: Pool) -> None:
    stored = np.array([np.float32(0.7)], np.float64)
    for is_single, (sign, kept) in product((True, False), ((">=", True), (">", False), ("<", False), ("<=", True))):
        threshold = Threshold("a", "a", sign, 0.7, is_single=is_single)
        asked = "CAST(? AS FLOAT)" if is_single else "CAST(? AS DOUBLE)"
        (answer,) = pool.con.cursor().execute(f"SELECT {asked} {sign} 0.7", [float(stored[0])]).fetchall()[0]
        assert bool(threshold.keeps(stored)[0]) == answer
        assert not is_single or answer == kept


def test_without_a_score_of_another_rule_no_final_selection_is_said(pool: Pool) -> None:
    number = next(place for place, step in enumerate(pool.steps) if step["rule"] == "sharp")
    (threshold,) = pool.thresholds["sharp"]
    gone = {label: found for label, found in pool.table.sets.items() if label != "text"}
    poorer = Pool(pool.label, type(pool.table)(pool.table.dataset, gone), pool.con)
    moved = moved_line(poorer, number, threshold, 0.0, 100.0)
    assert moved.final is None
    assert moved.alone == moved_line(pool, number, threshold, 0.0, 100.0).alone
