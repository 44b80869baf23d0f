"""One shard is written while its rows come, each other one when all of its rows are there, and one at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from diptych.curate.ingest.awaited import AwaitedRows
from diptych.curate.ingest.rows import IngestedRow, failed_row
from diptych.curate.ingest.turns import WritingTurns
from diptych.jobs.contract import ignore_report

ROW = failed_row("not_found: HTTP 404")


def written(turns: WritingTurns, awaited: AwaitedRows) -> list[IngestedRow]:
    with turns.turn(awaited):
        return list(awaited)


def test_a_shard_whose_rows_are_all_there_is_written_while_another_one_waits_for_a_row() -> None:
    turns, slow, quick = WritingTurns(), AwaitedRows(2, ignore_report), AwaitedRows(2, ignore_report)
    begun = threading.Event()

    def write_slowly() -> list[IngestedRow]:
        with turns.turn(slow):
            begun.set()
            return list(slow)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(write_slowly)
        begun.wait()
        second = pool.submit(written, turns, quick)
        quick.give([1, 0], ROW)
        assert second.result() == [ROW, ROW]
        assert not first.done()
        slow.give([0], ROW)
        slow.give([1], ROW)
        assert first.result() == [ROW, ROW]


def test_two_at_most_are_written_at_a_time_and_one_of_them_has_all_its_rows() -> None:
    turns = WritingTurns()
    shards = [AwaitedRows(20, ignore_report) for _ in range(6)]
    given = [0] * len(shards)
    at_once: list[list[bool]] = []
    under_way: dict[int, bool] = {}
    noting = threading.Lock()

    def write(number: int) -> list[IngestedRow]:
        with turns.turn(shards[number]):
            with noting:
                under_way[number] = given[number] == 20
                at_once.append([*under_way.values()])
            rows = list(shards[number])
            with noting:
                del under_way[number]
        return rows

    with ThreadPoolExecutor(len(shards)) as pool:
        futures = [pool.submit(write, number) for number in range(len(shards))]
        for row in range(20):
            for number, shard in enumerate(shards):
                given[number] += 1
                shard.give([row], ROW)
        assert [future.result() for future in futures] == [[ROW] * 20] * len(shards)
    assert max(map(len, at_once)) <= 2
    assert all(states.count(False) <= 1 for states in at_once)


def test_whoever_waits_for_the_turn_hears_of_a_row_that_will_not_come() -> None:
    turns, first, second = WritingTurns(), AwaitedRows(1, ignore_report), AwaitedRows(2, ignore_report)
    with turns.turn(first), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(written, turns, second)
        second.give([0], ROW)
        second.fail(OSError("the disk is full"))
        with pytest.raises(OSError, match="the disk is full"):
            waiting.result()
    first.give([0], ROW)
    assert written(turns, first) == [ROW], "the turn is free again"
