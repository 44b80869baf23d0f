"""Odd inputs made from seeds: what a careful person finds is found, and all else has a reason."""

from pathlib import Path

import pytest
from heavy import measure
from odd_inputs.checking import MAKERS, check_seeds

FEW, MANY = 60, 1_000
MOST_MIB = 300  # of inputs of some kB; the libraries take 100 of it however small an input is
IMPORTS = """
from pathlib import Path
from odd_inputs.checking import MAKERS, check_seeds
"""


@pytest.mark.parametrize("kind", MAKERS)
def test_all_that_a_careful_person_finds_in_odd_inputs_is_found(kind: str, tmp_path: Path) -> None:
    check_seeds(kind, range(FEW), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_all_that_a_careful_person_finds_in_many_odd_inputs_is_found(kind: str, tmp_path: Path) -> None:
    check_seeds(kind, range(FEW, MANY), tmp_path)


def test_odd_inputs_take_bounded_memory(tmp_path: Path) -> None:
    work = f"for kind in MAKERS: check_seeds(kind, range(5), Path({str(tmp_path)!r}) / kind)"
    grown = measure(IMPORTS, work).grown
    assert grown < MOST_MIB, f"{grown:.0f} MiB"
