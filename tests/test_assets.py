import functools
import hashlib
import http.server
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych import assets, demo
from diptych.asset_table import ASSETS, Asset
from diptych.assets import OFFLINE_VARIABLES, cache_dir, fetch, file_sha256, is_offline, named_path
from diptych.errors import ConfigError, DataError

CONTENT = b"weights of something\n" * 50
GIT_BLOB = "08c91d964c2ec613ccf5df6b155802b67dc276f4"  # of the same, as git hash-object prints it
FILES = {
    "aesthetic-v1-b16": "laion-aesthetic-predictor-v1/sa_0_4_vit_b_16_linear.pth",
    "aesthetic-v1-b32": "laion-aesthetic-predictor-v1/sa_0_4_vit_b_32_linear.pth",
    "aesthetic-v1-l14": "laion-aesthetic-predictor-v1/sa_0_4_vit_l_14_linear.pth",
    "aesthetic-v2-l14": "improved-aesthetic-predictor/sac+logos+ava1-l14-linearMSE.pth",
    "laion-nsfw-b32": "laion-clip-nsfw/clip_autokeras_nsfw_b32.zip",
    "laion-nsfw-l14": "laion-clip-nsfw/clip_autokeras_binary_nsfw.zip",
    "nsfwjs-mobilenet-v2": "nsfwjs-mobilenet-v2/mobilenet_v2/model.json",
    "nsfwjs-mobilenet-v2-weights": "nsfwjs-mobilenet-v2/mobilenet_v2/group1-shard1of1",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A served folder with one file, which is the asset ``own``; downloads are allowed."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "w+1.bin").write_bytes(CONTENT)
    Handler.asked = []
    for name in OFFLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/w%2B1.bin"
        asset = Asset(url, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "MIT")
        monkeypatch.setitem(ASSETS, "own", asset)
        yield folder
        server.shutdown()


def test_an_asset_is_downloaded_once_and_verified(upstream: Path, tmp_path: Path) -> None:
    path = fetch("own")
    assert path.read_bytes() == CONTENT
    assert path.parent == tmp_path / "cache" / "assets"
    assert path.name.startswith(ASSETS["own"].sha256[:16])
    assert fetch("own") == path
    assert Handler.asked == ["/w%2B1.bin"]


def test_a_cached_asset_needs_no_network(upstream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch("own")
    monkeypatch.setenv("DIPTYCH_OFFLINE", "1")
    (upstream / "w+1.bin").unlink()
    assert fetch("own") == path


def test_what_changed_upstream_is_refused_and_not_kept(upstream: Path, tmp_path: Path) -> None:
    (upstream / "w+1.bin").write_bytes(CONTENT + b"!")
    with pytest.raises(DataError, match=r"own: http://.* cannot be downloaded and verified: .*hash"):
        fetch("own")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    with pytest.raises(DataError, match="give the path of the file in the place of the name"):
        fetch("own")


def test_an_asset_may_be_told_by_the_name_of_its_bytes_in_git(
    upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = Asset(ASSETS["own"].url, "", None, "MIT", GIT_BLOB)
    monkeypatch.setitem(ASSETS, "own", named)
    assert fetch("own").read_bytes() == CONTENT
    assert fetch("own").name == f"{GIT_BLOB[:16]}-w%2B1.bin"
    (tmp_path / "cache").rename(tmp_path / "old")
    (upstream / "w+1.bin").write_bytes(CONTENT + b"!")
    with pytest.raises(DataError, match=f"cannot be downloaded and verified: its hash in git is not {GIT_BLOB}"):
        fetch("own")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_what_is_gone_upstream_is_told(upstream: Path) -> None:
    (upstream / "w+1.bin").unlink()
    with pytest.raises(DataError, match="404"):
        fetch("own")


def test_a_damaged_cached_file_is_downloaded_again(upstream: Path) -> None:
    path = fetch("own")
    path.write_bytes(CONTENT[:-1])
    assert fetch("own").read_bytes() == CONTENT
    assert len(Handler.asked) == 2


@pytest.mark.parametrize("name", OFFLINE_VARIABLES)
def test_nothing_is_downloaded_when_the_environment_forbids_it(
    upstream: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(
        DataError, match=rf"own is not in the cache .*, and downloads are off \({name}=1\); download http"
    ):
        fetch("own")
    assert Handler.asked == []


@pytest.mark.parametrize(
    ("value", "offline"),
    [("1", True), ("true", True), ("YES", True), ("On", True), ("0", False), ("", False), ("no", False)],
)
def test_offline_is_what_hugging_face_takes_for_it(monkeypatch: pytest.MonkeyPatch, value: str, offline: bool) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("DIPTYCH_OFFLINE", value)
    assert is_offline() is offline


def test_an_unknown_asset_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown asset 'aesthetic-v2-l15'; did you mean 'aesthetic-v2-l14'"):
        fetch("aesthetic-v2-l15")


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DIPTYCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir() == tmp_path / ".cache" / "diptych"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "diptych"
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"


def test_the_cache_of_a_user_without_a_home_is_a_temporary_folder_that_is_theirs_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DIPTYCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = cache_dir()
    assert (place, place.stat().st_mode & 0o777) == (tmp_path / f"diptych-cache-{os.getuid()}", 0o700)
    assert cache_dir() == place
    place.chmod(0o755)
    with pytest.raises(DataError, match=r"not a folder of this user alone, who has no home; set DIPTYCH_CACHE"):
        cache_dir()


@pytest.mark.parametrize("name", ["DIPTYCH_CACHE", "XDG_CACHE_HOME"])
def test_a_cache_that_is_no_place_of_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("DIPTYCH_CACHE", raising=False)
    monkeypatch.setenv(name, "s3://bucket/cache")
    with pytest.raises(DataError, match=f"^{name}: s3://bucket/cache: only a local path can be used here"):
        cache_dir()


@pytest.mark.parametrize("name", ASSETS)
def test_an_asset_is_fixed_to_a_revision_and_says_its_licence(name: str) -> None:
    asset = ASSETS[name]
    assert len(asset.sha256) == 64 or (not asset.sha256 and len(asset.git_blob) == 40)
    assert int(asset.digest, 16)
    is_at_commit = any(len(part) == 40 and set(part) <= set("0123456789abcdef") for part in asset.url.split("/"))
    # A file of a release has no commit in its URL; its name has to carry its hash, as torch.hub's do.
    assert is_at_commit or f"-{asset.sha256[:8]}." in asset.url
    assert asset.url.startswith("https://")
    assert asset.licence


def test_named_path_is_a_path_or_lies_in_a_package_of_diptych(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert named_path("a/b.pth") == Path("a/b.pth")
    assert named_path("~/b.pth") == Path("/home/somebody/b.pth")
    shipped = named_path("package:diptych.demo/models/heads/flagged.pth")
    assert shipped == Path(demo.__file__).parent / "models" / "heads" / "flagged.pth"
    assert shipped.is_file()


@pytest.mark.parametrize(
    "reference",
    [
        "package:",
        "package:diptych.demo",
        "package:diptych.demo/",
        "package:diptych.demo/../../secret",
        "package:diptych.demo//etc/passwd",
        "package:os/path",
        "package:antigravity/x",
        "package:diptychs/x",
        "package:/etc/passwd",
    ],
)
def test_reference_out_of_the_packages_of_diptych_is_refused(reference: str) -> None:
    with pytest.raises(ConfigError, match="write it as package:diptych"):
        named_path(reference)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "reference", ["package:diptych.nothing/x", "package:diptych.no.thing/x", "package:diptych.assets/x"]
)
def test_reference_to_a_package_that_is_not_there_says_so(reference: str) -> None:
    with pytest.raises(ConfigError, match="there is no package 'diptych"):
        named_path(reference)


def test_address_with_a_scheme_names_no_file_of_this_machine() -> None:
    with pytest.raises(DataError, match=r"https://host/head\.pth: only a local path can be used here"):
        named_path("https://host/head.pth")


def test_assets_are_in_alphabetical_order() -> None:
    assert list(ASSETS) == sorted(ASSETS)


@pytest.mark.parametrize("name", FILES)
def test_the_real_file_is_the_one_that_the_table_names(name: str, shared: Path) -> None:
    path = shared / "real" / "weights" / FILES[name]
    assert (path.stat().st_size, file_sha256(path)) == (ASSETS[name].bytes, ASSETS[name].sha256)


def test_a_file_is_hashed_again_only_once_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert file_sha256(path) == hashlib.sha256(b"one").hexdigest()
    with monkeypatch.context() as patch:
        patch.setattr(assets.hashlib, "file_digest", None)
        file_sha256(path)
    date, changed = path.stat().st_mtime_ns, path.stat().st_ctime_ns
    path.write_bytes(b"two")
    os.utime(path, ns=(date, date))
    while path.stat().st_ctime_ns == changed:  # the file system's clock may tick slowly
        os.utime(path, ns=(date, date))
    assert file_sha256(path) == hashlib.sha256(b"two").hexdigest(), "of the same size and date"
