from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from diptych.curate.ingest.plan import PlannedShard, PoolPlan, ShardLimits
from diptych.curate.sources.contract import Part
from diptych.curate.sources.index import PartIndex
from diptych.curate.sources.keys import key_text
from diptych.data.shards import keys_sha256

# A row is known by a number and has so many bytes; a part is some rows.
Input = Sequence[Sequence[tuple[int, int]]]

rows = st.tuples(st.integers(0, 12), st.integers(0, 30))
inputs = st.lists(st.lists(rows, max_size=12), min_size=1, max_size=4)
limits = st.builds(ShardLimits, st.integers(1, 6), st.integers(1, 60))


def plan_of(given_input: Input, there: Sequence[str] = ()) -> PoolPlan:
    parts = [Part(f"{number}", (f"{number}",)) for number in range(len(given_input))]
    indexes = [
        PartIndex(
            np.array([known_by for known_by, _ in part], np.uint64), np.array([size for _, size in part], np.uint32)
        )
        for part in given_input
    ]
    return PoolPlan(parts, indexes, [pa.chunked_array([list(there)], pa.string())])


def keys_of(shard: PlannedShard, given_input: Input) -> list[str]:
    part = given_input[int(shard.rows.files[0])][shard.rows.start : shard.rows.stop]
    return [key_text(known_by.to_bytes(8, "big"), shard.ordinals.get(row, 0)) for row, (known_by, _) in enumerate(part)]


def made(given_input: Input, cut: ShardLimits, there: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Return the keys of each shard that is to be made."""
    plan = plan_of(given_input, [key for keys in there.values() for key in keys])
    return {shard.number: keys_of(shard, given_input) for shard in plan.shards(cut, there)}


@given(inputs, limits)
def test_every_row_is_in_one_shard_in_order_under_a_key_of_its_own(given_input: Input, cut: ShardLimits) -> None:
    shards = list(plan_of(given_input).shards(cut, ()))
    keys = [key for shard in shards for key in keys_of(shard, given_input)]
    assert [int(key[:16], 16) for key in keys] == [known_by for part in given_input for known_by, _ in part]
    assert len(set(keys)) == len(keys)
    assert [shard.number for shard in shards] == list(range(len(shards)))
    assert [shard.keys for shard in shards] == [keys_sha256(keys_of(shard, given_input)) for shard in shards]


@given(inputs, limits)
def test_a_shard_keeps_the_limits_unless_one_row_is_larger(given_input: Input, cut: ShardLimits) -> None:
    for shard in plan_of(given_input).shards(cut, ()):
        part = given_input[int(shard.rows.files[0])][shard.rows.start : shard.rows.stop]
        assert 1 <= len(part) <= cut.rows
        assert len(part) == 1 or sum(size for _, size in part) <= cut.bytes


@given(inputs, limits, st.data())
def test_what_is_left_of_a_killed_run_is_what_it_would_have_made(
    given_input: Input, cut: ShardLimits, data: st.DataObject
) -> None:
    undisturbed = made(given_input, cut, {})
    finished = {number: keys for number, keys in undisturbed.items() if data.draw(st.booleans())}
    assert {**finished, **made(given_input, cut, finished)} == undisturbed


@given(inputs, inputs, limits, st.data())
def test_a_killed_extension_goes_on_as_it_began(
    before: Input, more: Input, cut: ShardLimits, data: st.DataObject
) -> None:
    pool = made(before, cut, {})
    grown = [*before, *more]
    extended = made(grown, cut, pool)
    finished = {number: keys for number, keys in extended.items() if data.draw(st.booleans())}
    assert {**finished, **made(grown, cut, pool | finished)} == extended


@given(inputs, inputs, limits)
def test_parts_that_come_behind_give_what_one_run_over_all_gives(before: Input, more: Input, cut: ShardLimits) -> None:
    pool = made(before, cut, {})
    assert pool | made([*before, *more], cut, pool) == made([*before, *more], cut, {})


@given(inputs, inputs, limits)
def test_rows_that_are_there_are_never_made_again(before: Input, after: Input, cut: ShardLimits) -> None:
    pool = made(before, cut, {})
    extended = made(after, cut, pool)
    old, new = ([key for keys in shards.values() for key in keys] for shards in (pool, extended))
    assert len({*old, *new}) == len(old) + len(new)
    wanted = plan_of(after)
    everything = {key for shard in wanted.shards(ShardLimits(10**9, 10**9), ()) for key in keys_of(shard, after)}
    assert everything <= {*old, *new}
    assert plan_of(after, old).missing == len(new)


def test_a_key_stays_when_rows_come_before_it() -> None:
    before, after = [[(7, 1), (8, 1), (7, 1)]], [[(9, 1), (8, 1), (5, 1), (7, 1), (7, 1)]]
    cut = ShardLimits(100, 100)
    assert set(made(before, cut, {})[0]) < set(made(after, cut, {})[0])


def test_a_range_of_a_folder_names_its_files() -> None:
    part = Part("in", ("in/a", "in/b", "in/c"), lambda file: None, root="in")
    index = PartIndex(np.array([1, 2, 3], np.uint64), np.array([5, 5, 5], np.uint32))
    shards = list(PoolPlan([part], [index], []).shards(ShardLimits(2, 100), ()))
    assert [(shard.rows.files, shard.rows.start, shard.rows.stop) for shard in shards] == [
        (("in/a", "in/b"), 0, 2),
        (("in/c",), 0, 1),
    ]


def test_bytes_and_rows_that_are_to_be_made_are_counted() -> None:
    plan = plan_of([[(1, 10), (2, 20)], [(1, 30)]], [key_text((2).to_bytes(8, "big"), 0)])
    assert (plan.total, plan.missing, plan.missing_bytes) == (3, 2, 40)


@given(inputs, inputs, limits)
def test_rows_that_are_there_and_in_the_input_no_more_are_counted(
    before: Input, after: Input, cut: ShardLimits
) -> None:
    keys, wanted = ([key for shard in made(one, cut, {}).values() for key in shard] for one in (before, after))
    assert plan_of(after, keys).gone == len(set(keys) - set(wanted))
