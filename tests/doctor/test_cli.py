"""What `diptych doctor` prints on the machine that runs the tests."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from diptych.doctor import inspection
from diptych.doctor.cli import doctor as command
from diptych.doctor.inspection import inspect_machine
from diptych.doctor.wording import format_report

ROOT = Path(__file__).resolve().parents[2]


def test_json_has_the_documented_keys() -> None:
    result = CliRunner().invoke(command, ["--json", "--no-devices"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["schema_version"] == 1
    documented = re.findall(r"``(\w+)``", (inspect_machine.__doc__ or "").partition("Returns:")[2])
    assert list(report) == documented
    assert report["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert report["devices"] == {"checked": False, "problem": None, "found": []}
    assert report["telemetry"]["diptych"] is False


def test_report_imports_no_field_package_without_the_device_check() -> None:
    script = "import sys; from diptych.doctor.cli import doctor; doctor(['--no-devices'], standalone_mode=False)\n"
    script += "print(*sys.modules, file=sys.stderr)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stderr.split()}
    assert loaded & {"torch", "numpy", "pyarrow", "duckdb", "PIL", "pydantic", "huggingface_hub", "pooch"} == set()


@pytest.mark.parametrize("options", [["--no-devices"], ["--no-devices", "--json"]])
def test_tokens_are_never_printed(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:verysecret@proxy.invalid")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    text = CliRunner().invoke(command, options).output
    assert "verysecret" not in text
    assert re.search(r'HF_TOKEN"?:? +(set|true)', text)
    assert re.search(r'WANDB_API_KEY"?:? +(not set|false)', text)


def test_text_is_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "package_versions", lambda names: dict.fromkeys(names, "1.0"))
    rows = [line for line in format_report(inspect_machine(devices=False)).splitlines() if line.startswith("  ")]
    starts = {len(match[0]) for line in rows if (match := re.match(r"  \S+(?: \S+)* {2,}", line))}
    assert len(rows) > 30
    assert len(starts) == 1


def test_flags_are_read_as_the_hub_client_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "YES")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    report = inspect_machine(devices=False)
    assert report["offline"]["HF_HUB_OFFLINE"]
    assert not report["offline"]["TRANSFORMERS_OFFLINE"]
    assert report["telemetry"]["DO_NOT_TRACK"]
