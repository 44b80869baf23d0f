"""Odd surroundings of a program, one by one, and a small working call of every command in a drawn folder."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from drawn import draw_folder
from evaluate_configs import run as run_evaluation
from tiny_generated import Made, made_grid, make_generated

import diptych
from diptych.curate.config import CurateConfig
from diptych.curate.run import STEPS, CurateRunner
from diptych.data.timings import append_timing

SRC = Path(diptych.__file__).resolve().parents[1]
STRICT = Path(__file__).with_name("strict")
PACKAGE = "package:diptych.demo/models"


class Surroundings(NamedTuple):
    """What is odd about where a command runs.

    Attributes:
        environment: Variables that are set; None unsets one.
        prepare: Called in the new process before the program begins.
        shell: Put after the command; the shell has ``$@`` for it.
        before: Words before the command.
    """

    environment: Mapping[str, str | None] = {}
    prepare: Callable[[], object] = int
    shell: str = ""
    before: tuple[str, ...] = ()


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def one_processor() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


# What the owner alone may do, root too: no capability is left.
BARE = ("setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs")
# As in a sandbox that shows no processes; root in name spaces of its own may hide them.
HIDING = ("unshare", "-rm", "/bin/bash", "-c", 'mount -t tmpfs none /proc && exec "$@"', "bash")
# Nothing can be made in /proc, by nobody.
SURROUNDINGS = {
    "LANG=C": Surroundings({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "a locale with a comma": Surroundings(
        {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"}
    ),
    "no HOME": Surroundings({"HOME": None, "XDG_CACHE_HOME": None}),
    "a HOME that cannot be written": Surroundings({"HOME": "/proc", "XDG_CACHE_HOME": None}),
    "umask 077": Surroundings(prepare=lambda: os.umask(0o077)),
    "ulimit -n 64": Surroundings(prepare=limit_files),
    "a closed stdout": Surroundings(shell=">&-"),
    "a closed stderr": Surroundings(shell="2>&-"),
    "a reader that leaves": Surroundings(shell="| true"),
    "no standard stream at all": Surroundings(shell="<&- >&- 2>&-"),
    "no capability": Surroundings(before=BARE),
    "20 columns": Surroundings({"COLUMNS": "20"}),
    "0 columns": Surroundings({"COLUMNS": "0"}),
    "a dumb terminal": Surroundings({"TERM": "dumb", "NO_COLOR": "1"}),
    "no TMPDIR": Surroundings({"TMPDIR": None}),
    "a TMPDIR that cannot be written": Surroundings({"TMPDIR": "/proc"}),
    "no git": Surroundings({"PATH": "/nowhere"}),
    "warnings are errors": Surroundings({"PYTHONPATH": f"{SRC}{os.pathsep}{STRICT}"}),
    "another hash seed": Surroundings({"PYTHONHASHSEED": "4242"}),
    "one processor": Surroundings(prepare=one_processor),
    "nice": Surroundings(prepare=lambda: os.nice(19)),
    "no /proc": Surroundings(before=HIDING),
}

# How each command is called in the folder that ``furnish`` fills. To add one: a line here.
CALLS: dict[tuple[str, ...], str] = {
    ("curate", "dedup"): "c.yaml --out run",
    ("curate", "export"): "c.yaml --out run",
    ("curate", "ingest"): "c.yaml --out new",
    ("curate", "run"): "c.yaml --out new --workers 2",
    ("curate", "score"): "c.yaml --out run --set scores.t.score=caption_stats",
    ("curate", "select"): "c.yaml --out run",
    ("demo",): "--out shown --rows 300",
    ("demo", "quality"): "--quick",
    ("doctor",): "",
    ("evaluate", "compare"): "store.duckdb first second",
    ("evaluate", "distance"): "run/pool in --encoder projection --set dim=4",
    ("evaluate", "gate"): "store.duckdb --max caption_words=99 --allow-unresolved",
    ("evaluate", "import-evidence"): "asked answers.csv --format answers --judge people",
    ("evaluate", "log"): "store.duckdb --to wandb",
    ("evaluate", "pareto"): "store.duckdb --metric clip_score",
    ("evaluate", "plan"): "store.duckdb first second --metric caption_words --difference 1",
    ("evaluate", "protocols"): "dsg",
    ("evaluate", "results"): "store.duckdb",
    ("evaluate", "run"): "e.yaml --set store=new.duckdb",
    ("evaluate", "statistics"): "in --out new.npz --encoder projection --set dim=4",
    ("generate", "export"): "made --layout a1111 --out new",
    ("generate", "import"): "in --out new",
    ("generate", "plan"): "g.yaml",
    ("generate", "run"): "g.yaml --out new --workers 2",
    ("generate", "verify"): "made --count 1",
    ("init",): "folder --out -",
    ("report", "build"): "r.yaml --out new",
    ("schema",): "curate",
    ("score",): "run/pool caption_stats image_stats --workers 2",
    ("validate",): "c.yaml e.yaml g.yaml r.yaml",
    ("verify",): "run",
}
READ_PROC = {("generate", each) for each in ("plan", "run", "verify")}  # torch wants /proc/cpuinfo, or complains
# The demo takes minutes; how a tracker's library does in odd places is for its makers.
PLAIN = {("demo",), ("demo", "quality"), ("evaluate", "log")}

CONFIGS = {
    "c.yaml": {
        "job": "curate",
        "rows_per_shard": 4,
        "source": {"kind": "folder", "path": "in", "captions": "file_name"},
        "scores": {"h": {"score": "hashes"}, "t": {"score": "caption_stats"}},
        "dedup": {},
        "select": [{"name": "wide", "where": "width > 3"}],
    },
    "e.yaml": {
        "job": "evaluate",
        "name": "tiny",
        "store": "store.duckdb",
        "datasets": {"images": {"path": "grid"}},
        "scores": {"text": {"score": "caption_stats"}, "fit": {"score": "clip_similarity", "encoder": "p"}},
        "encoders": {"p": {"kind": "projection", "options": {"dim": 4}}},
        "means": [{"score": "text.caption_words", "by": ["model"]}, {"score": "fit.clip_score", "by": ["model"]}],
    },
    "g.yaml": {
        "job": "generate",
        "prompts": [{"kind": "txt", "path": "prompts.txt"}],
        "models": {"raw": {"path_or_id": f"{PACKAGE}/demo-raw"}},
        "settings": [{"sampler": "ddim", "steps": 2}],
        "rows_per_shard": 2,
    },
    "r.yaml": {"job": "report", "pools": ["run/pool"], "store": "store.duckdb", "datasets": {"images": "grid"}},
}


def furnish(folder: Path) -> Path:
    """Fill a folder with all that ``CALLS`` needs."""
    with contextlib.chdir(folder):
        _furnish(folder)
    return folder


def _furnish(folder: Path) -> None:
    draw_folder(folder / "in", 12)
    (folder / "in" / "grüße ☃.jpg").write_bytes((folder / "in" / "000.jpg").read_bytes())
    for name, config in CONFIGS.items():
        (folder / name).write_text(yaml.safe_dump(config))
    (folder / "prompts.txt").write_text("a red circle\na blue square\n")
    runner = CurateRunner(CurateConfig.model_validate(CONFIGS["c.yaml"]), Path("run"), progress="none")
    with runner.alone():
        for step in STEPS:
            runner.run(step)
    make_generated(Path("grid"), made_grid(("first", "second"), 6, 2, ("euler-50-g5",)))
    took = [{"model": model, "setting": "euler-50-g5", "images": 12, "seconds": 6.0} for model in ("first", "second")]
    append_timing("grid", {"shard": "00000.parquet", "settings": took, "environments": []}, [])
    run_evaluation(CONFIGS["e.yaml"])
    asked = {"questions": [{"id": "1", "question": "a fish?"}]}
    make_generated(Path("asked"), [Made("first", prompt, checks=asked, picture=prompt) for prompt in range(3)])
    (folder / "answers.csv").write_text("prompt_id,question_id,answer\n00001,1,yes\n00002,1,no\n")
    making = start(("generate", "run"), "g.yaml --out made", folder, Surroundings())
    _, said = making.communicate(timeout=120)
    assert making.returncode == 0, said


def start(words: tuple[str, ...], arguments: str, folder: Path, where: Surroundings) -> "subprocess.Popen[str]":
    """Start a command in a folder and in some surroundings, in a group of its own."""
    changed = {"PYTHONPATH": str(SRC), "WANDB_MODE": "offline", **where.environment}
    environment = {name: value for name, value in {**os.environ, **changed}.items() if value is not None}
    command = [sys.executable, "-m", "diptych", "--progress", "none", *words, *arguments.split()]
    wrapped = ["/bin/bash", "-c", f'set -o pipefail; "$@" {where.shell}', "bash", *command] if where.shell else command
    return subprocess.Popen(
        [*where.before, *wrapped],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        start_new_session=True,
        preexec_fn=where.prepare,
    )


def listen() -> None:
    """Let a new process hear what a test sends it, whatever this one was told to ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def wait_until_it_hears(process: "subprocess.Popen[str]") -> None:
    """Wait until a command answers to signals by itself, which an interpreter that only begins does not yet."""
    caught = 1 << (signal.SIGTERM - 1)
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if int(status.partition("SigCgt:")[2].split()[0], 16) & caught:
            return
        time.sleep(0.002)


def left_of(group: int) -> list[int]:
    """Return the processes of a group that have not ended, a while after they were told to."""
    for _ in range(50):
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
                found += [int(stat.parent.name)] if int(its_group) == group and state != "Z" else []
        if not found:
            return []
        time.sleep(0.1)
    return found
