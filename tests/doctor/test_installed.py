import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from diptych.doctor import inspection, wording
from diptych.doctor.inspection import inspect_machine
from diptych.doctor.installed import BASE, EXTRAS, SUPPORTED_PYTHON
from diptych.doctor.wording import format_report

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names_of(requirements: list[str]) -> list[str]:
    return sorted(re.split(r"[^A-Za-z0-9-]", requirement)[0] for requirement in requirements)


def test_tables_of_packages_are_those_of_the_project_file() -> None:
    facts = project()
    assert list(BASE) == names_of(facts["dependencies"])
    # A requirement of some Pythons only is none that doctor could miss.
    optional = {
        name: [requirement for requirement in requirements if ";" not in requirement]
        for name, requirements in facts["optional-dependencies"].items()
    }
    assert {name: list(packages) for name, packages in EXTRAS.items()} == {
        name: names_of(requirements) for name, requirements in optional.items() if name not in {"all", "bench", "dev"}
    }


def test_supported_pythons_are_those_of_the_project_file() -> None:
    lowest, too_high = SUPPORTED_PYTHON[0], (SUPPORTED_PYTHON[-1][0], SUPPORTED_PYTHON[-1][1] + 1)
    assert project()["requires-python"] == f">={lowest[0]}.{lowest[1]},<{too_high[0]}.{too_high[1]}"


def test_missing_parts_come_with_their_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {name: "1.0" for packages in EXTRAS.values() for name in packages}
    lacking = {name: version for name, version in everything.items() if name not in {"diffusers", "transformers"}}
    monkeypatch.setattr(inspection, "package_versions", lambda names: lacking)
    report = inspect_machine(devices=False)
    assert report["packages"]["diffusers"] is None
    assert report["extras"]["heic"] == {
        "present": True,
        "missing": [],
        "install": "pip install './diptych[heic]' beside the clone",
    }
    assert re.search(
        r"^  generate +missing diffusers, transformers: pip install './diptych\[generate\]' beside the clone$",
        format_report(report),
        re.M,
    )


def test_python_that_is_not_supported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (inspection, wording):
        monkeypatch.setattr(module, "SUPPORTED_PYTHON", ((2, 6), (2, 7)))
    assert "; diptych needs 2.6 or 2.7" in format_report(inspect_machine(devices=False))
