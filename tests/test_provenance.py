import getpass
import json
import os
import platform
import re
import socket
import subprocess
from pathlib import Path

import pytest

import diptych
from diptych import provenance
from diptych.provenance import collect, package_versions, source_revision


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, from which diptych seems to run."""
    module = tmp_path / "src" / "diptych" / "provenance.py"
    module.parent.mkdir(parents=True)
    module.write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    monkeypatch.setattr(provenance, "__file__", str(module))
    return tmp_path


def test_what_made_a_result_is_plain_json_and_the_same_each_time() -> None:
    first = collect()
    assert json.loads(json.dumps(first)) == first == collect()
    assert first["diptych"] == diptych.__version__
    assert first["python"] == platform.python_version()
    assert first["packages"]["numpy"]


def test_it_holds_no_path_host_or_user() -> None:
    text = json.dumps(collect())
    for private in (str(Path.home()), str(Path.cwd()), socket.gethostname()):
        assert private in ("/", "") or private not in text
    assert getpass.getuser() not in json.loads(text)["system"]
    assert not re.search(r"\d\d:\d\d:\d\d", text)


def test_packages_that_are_not_installed_are_left_out() -> None:
    import numpy

    assert package_versions(("numpy", "no-such-package-anywhere")) == {"numpy": numpy.__version__}
    assert package_versions(()) == {}


def test_the_revision_is_that_of_the_checkout_and_tells_changes(checkout: Path) -> None:
    revision = git(checkout, "rev-parse", "HEAD")
    assert source_revision() == revision
    (checkout / "untracked").touch()
    assert source_revision() == revision
    (checkout / "src" / "diptych" / "provenance.py").write_text("x = 2\n")
    assert source_revision() == f"{revision}+changes"


def test_there_is_no_revision_without_a_checkout_a_commit_or_git(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        assert source_revision() is None
    (checkout / ".git").rename(tmp_path / "elsewhere")
    assert source_revision() is None
    git(checkout, "init", "-q")
    assert source_revision() is None
