"""Odd inputs made from seeds: what a careful person finds is found, and all else has a reason."""

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from ingested import make_config, pool_rows, run
from odd_inputs.case import Make, OddCase, Pair, same_text
from odd_inputs.tars import tar_case

MAKERS: dict[str, Make] = {"tar": tar_case}
FEW, MANY = 50, 2_000
MOST_BYTES = 96 * 2**20  # that Python holds at once, of inputs of some MB


def check(case: OddCase, pool: Path) -> None:
    rows = pool_rows(run(make_config(case.source), pool).dataset)
    found = Counter(Pair(row["sha256"], same_text(row["caption"])) for row in rows if row["status"] == "ok")
    others = Counter(row["status"] for row in rows if row["status"] != "ok")
    lost, wrong = (
        [(pair.picture[:12], (pair.caption or "None")[:60]) for pair in pairs]
        for pairs in (case.pairs - found, found - case.pairs)
    )
    where = f"seed {case.seed}: {case.told}: lost {lost}, wrong {wrong}, others {dict(others)}"
    if not case.may_lack:
        assert found == case.pairs, where
        assert others == case.reasons, where
    else:
        assert not found - case.pairs, where
        assert others or found == case.pairs, where


def check_seeds(make: Make, seeds: range, folder: Path) -> None:
    for seed in seeds:
        place = folder / str(seed)
        (place / "input").mkdir(parents=True)
        check(make(seed, place / "input"), place / "pool")


@pytest.mark.parametrize("kind", MAKERS)
def test_all_that_a_careful_person_finds_in_odd_inputs_is_found(kind: str, tmp_path: Path) -> None:
    check_seeds(MAKERS[kind], range(FEW), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_all_that_a_careful_person_finds_in_many_odd_inputs_is_found(kind: str, tmp_path: Path) -> None:
    check_seeds(MAKERS[kind], range(FEW, MANY), tmp_path)


@pytest.mark.parametrize("kind", MAKERS)
def test_odd_inputs_take_bounded_memory(kind: str, tmp_path: Path) -> None:
    case_folder = tmp_path / "input"
    case_folder.mkdir()
    tracemalloc.start()
    try:
        check(MAKERS[kind](0, case_folder), tmp_path / "pool")
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
