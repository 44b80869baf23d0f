from pathlib import Path

import pytest

from diptych.curate import printing


def test_the_next_step_says_what_it_needs_where_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "Next: datasets.load_dataset('out/selected')"
    monkeypatch.setattr(printing, "find_spec", lambda name: None)
    assert printing.next_step(Path("out/selected")) == f"{line}; for that: pip install datasets"
    monkeypatch.setattr(printing, "find_spec", lambda name: name)
    assert printing.next_step(Path("out/selected")) == line


def test_of_a_store_the_next_step_names_files_as_the_library_takes_no_folder_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(printing, "find_spec", lambda name: name)
    line = "Next: datasets.load_dataset('parquet', data_files='s3://b/selected/data/*.parquet')"
    assert printing.next_step("s3://b/selected") == line
