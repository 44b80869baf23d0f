from pathlib import Path

import pytest

from diptych.addresses import local_path, place_of
from diptych.curate.config import CurateConfig
from diptych.errors import DataError
from diptych.storage.location import Location


@pytest.mark.parametrize(
    "address",
    ["runs/laion", "/data", ".", "C:/data", "a:b", "2024-01-01T10:00", "s3/x", "run-s3:x", "/runs/s3:x"],
)
def test_what_has_no_scheme_is_a_path(address: str) -> None:
    assert local_path(address) == Path(address)


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/x",
        "https://host/x.parquet",
        "gs://b",
        "file:///data",
        "hf+x://y",
        "memory:/x",
        "s3:x",
        "az:x",
        "gs:bucket/x",
    ],
)
def test_address_with_a_scheme_is_refused_in_one_line(address: str) -> None:
    with pytest.raises(DataError, match="only a local path can be used here") as caught:
        local_path(address)
    assert str(caught.value).startswith(f"{address}: ")
    assert "\n" not in str(caught.value)


def test_message_says_who_wrote_the_address() -> None:
    with pytest.raises(DataError, match=r"^prompts\.jsonl:3: s3://b/x: only a local path can be used here"):
        local_path("s3://b/x", "prompts.jsonl:3")


@pytest.mark.parametrize("address", ["s3://ada:abc123@bucket/x", "az://box/x?sv=1&sig=abc123"])
def test_address_of_a_store_with_a_secret_is_refused_and_not_shown(address: str) -> None:
    for take in (place_of, Location.at):
        with pytest.raises(DataError, match=r"^an address of \w+:// has a password or a signature in it") as caught:
            take(address)
        assert "abc123" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["abfs://box@account.dfs.core.windows.net/x", "s3://b/a:b@c", "hf://datasets/a/b@c"]
)
def test_address_of_a_store_with_a_colon_or_an_at_is_one(address: str) -> None:
    assert place_of(address) == address


@pytest.mark.parametrize("address", ["s3://", "memory://", "hf:///", "gs:///x"])
def test_address_of_a_store_without_a_bucket_is_refused(address: str) -> None:
    for take in (place_of, Location.at):
        with pytest.raises(DataError, match=f"^{address}: names no bucket; give "):
            take(address)


@pytest.mark.parametrize("address", ["s3://b/x//y", "s3://b//x", "gs://b/./x", "s3://b/../x", "memory://b/x/."])
def test_address_of_a_store_that_a_path_would_read_as_another_is_refused(address: str) -> None:
    for take in (place_of, Location.at):
        with pytest.raises(DataError, match=rf"^{address}: has (an empty part|the part '\.+'), .*; rename"):
            take(address)


def test_scheme_is_found_in_a_path_that_has_swallowed_a_slash() -> None:
    with pytest.raises(DataError, match="s3:/bucket/x: only a local path can be used here"):
        local_path(Path("s3://bucket/x"))
    assert local_path(Path("C:/data")) == Path("C:/data")


def test_a_home_is_expanded_in_every_text_that_is_a_path_and_variables_in_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", "elsewhere")
    assert local_path("~/pool") == tmp_path / "pool"
    assert local_path("$PLACE/pool") == Path("$PLACE/pool")
    assert local_path("a/~/b") == Path("a/~/b")
    assert local_path(Path("~x")) == Path("~x"), "what ./~x is, once it is a Path"
    assert CurateConfig.model_validate({"job": "curate", "source": {"kind": "folder", "path": "~/in"}}).source.path == (
        tmp_path / "in"
    )
    with pytest.raises(
        DataError, match=r"^here: ~nobody-at-all/x: there is no such home; write .* as \./~nobody-at-all/x"
    ):
        local_path("~nobody-at-all/x", "here")
