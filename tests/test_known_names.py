"""What the shell completes and what the help lists: names of tables, without importing what they name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from every_command import COLUMNS

import diptych
from diptych.cli import main
from diptych.encoders import ENCODERS
from diptych.evaluate.imports import FORMATS
from diptych.evaluate.metrics.contract import SET_METRICS
from diptych.generate.backends import sampler_names
from diptych.known_names import known_names
from diptych.scores import SCORES

SRC = Path(diptych.__file__).resolve().parents[1]
HEAVY = {"torch", "diffusers", "numpy", "pyarrow", "duckdb", "PIL", "open_clip", "pandas"}


def completed(command: str, begun: str) -> list[str]:
    complete = ShellComplete(main, {}, "diptych", "_DIPTYCH_COMPLETE")
    return [item.value for item in complete.get_completions(command.split(), begun)]


@pytest.mark.parametrize(
    ("command", "begun", "expected"),
    [
        ("", "ev", ["evaluate"]),
        ("evaluate", "co", ["compare"]),
        ("schema", "", ["curate", "evaluate", "generate", "import", "report"]),
        ("score pool", "", list(SCORES)),
        ("score pool hashes", "clip_s", ["clip_similarity"]),
        ("score pool", "b32=clip_s", ["b32=clip_similarity"]),
        ("score pool --encoder", "", list(ENCODERS)),
        ("score pool --judge", "z", ["zero_shot"]),
        ("evaluate distance a b --metric", "", list(SET_METRICS)),
        ("evaluate distance a b --encoder", "in", ["inception"]),
        ("evaluate run c.yaml --set", "distances.0.metric=k", ["distances.0.metric=kernel_distance"]),
        ("curate run c.yaml --set", "scores.mine.score=has", ["scores.mine.score=hashes"]),
        ("generate plan c.yaml --set", "settings.0.sampler=dd", ["settings.0.sampler=ddim"]),
        (
            "generate run c.yaml --set",
            "prompts.0.kind=gen",
            ["prompts.0.kind=genai_bench", "prompts.0.kind=geneval", "prompts.0.kind=geneval2"],
        ),
        ("generate run c.yaml --set", "batch_size=", []),
        ("generate run c.yaml --set", "batch", []),
    ],
)
def test_the_shell_completes_the_names_that_a_command_takes(command: str, begun: str, expected: list[str]) -> None:
    assert completed(command, begun) == expected


def test_an_unknown_command_is_no_error_before_it_is_run() -> None:
    assert "curate" in completed("nosuch", "")


def test_every_sampler_is_completed() -> None:
    found = completed("generate plan c.yaml --set", "sampler=")
    assert found == [f"sampler={name}" for name in sampler_names()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("diptych score pool clip_s", "clip_similarity"),
        ("diptych evaluate distance a b --metric kern", "kernel_distance"),
        ("diptych init", "init"),
    ],
)
def test_completion_imports_nothing_heavy(words: str, expected: str) -> None:
    script = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from diptych.__main__ import run; run()"
    )
    asked = {"_DIPTYCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(SRC), **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == [f"plain,{expected}"]
    assert {name.partition(".")[0] for name in done.stderr.split()} & HEAVY == set()


@pytest.mark.parametrize(
    ("command", "table"),
    [("score", SCORES), ("evaluate distance", SET_METRICS), ("evaluate import-evidence", FORMATS)],
)
def test_the_help_lists_each_name_with_one_line_at_80_columns(command: str, table: dict[str, str]) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--help"], terminal_width=COLUMNS)
    in_one_line = re.findall(r"(?m)^  (\w+)  +\w.*\n(?!   )", result.output)
    assert [name for name in table if in_one_line.count(name) != 1] == [], result.output


@pytest.mark.parametrize("where", ["diptych.scores:SCORES", "diptych.encoders:ENCODERS", "diptych.judges:JUDGES"])
def test_every_name_says_what_it_is(where: str) -> None:
    assert all(known_names(where).values())
