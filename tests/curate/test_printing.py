from pathlib import Path

import pytest

from diptych.curate import printing


def test_the_next_step_says_what_it_needs_where_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "Next: datasets.load_dataset('out/selected')"
    monkeypatch.setattr(printing, "find_spec", lambda name: None)
    assert printing.next_step(Path("out/selected")) == f"{line}; for that: pip install datasets"
    monkeypatch.setattr(printing, "find_spec", lambda name: name)
    assert printing.next_step(Path("out/selected")) == line
