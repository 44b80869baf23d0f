"""Scores from files of the user's own, among them those that the docs show, as they stand there."""

import re
import shlex
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import picture
from PIL import Image
from tiny_dataset import good_rows, make_dataset
from tiny_generated import made_grid, make_generated

from diptych.cli import main
from diptych.curate.config import CurateConfig
from diptych.data.dataset import open_dataset
from diptych.data.shards import read_shard
from diptych.encoders import make_encoder
from diptych.errors import ConfigError, DataError, OwnScoreError
from diptych.evaluate.config import EvaluateConfig
from diptych.scores import encoder_of, make_score
from diptych.scores.job import ScoreJob
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

PAGES = [Path(__file__).resolve().parents[2] / "docs" / name for name in ("scores.md", "judges.md")]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

LENGTH = """
import numpy as np
from diptych.scores import Column

class Length:
    columns = (Column("length", "Characters of the caption, times a factor"),)
    reads = frozenset({"caption"})
    identity = {"score": "length"}

    def __init__(self, times):
        self.times = times

    def score(self, batch):
        return {"length": np.array([len(caption or "") * self.times for caption in batch.captions], np.float32)}

def length(*, times: int = 1):
    return Length(times)
"""

CLASS = """
from diptych.scores import Column

class Mine:
    columns = (Column("n", "A number"),)
    reads = frozenset()
    identity = {}
    def score(self, batch): return {}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "mine.py") -> Path:
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)])


def plan(name: str = "mine.py:length", **options: Any) -> ScorePlan:
    return ScorePlan({}, {"mine": (name, options)})


def lengths(path: Path, what: ScorePlan, **options: Any) -> list[float]:
    run = score_dataset(path, what, progress="none", **options)
    return [value for file in run.sets["mine"].files for value in read_shard(file)["length"].to_pylist()]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def test_examples_of_the_docs_run_as_they_stand() -> None:
    for text in [*blocks("python"), *blocks("yaml")]:
        name = re.match(r"# (\S+)\n", text)
        if name:
            write(text, name[1])
    Path("pictures").mkdir()
    for number in range(3):
        Path(f"pictures/{number}.jpg").write_bytes(picture(number))
    Image.new("RGB", (48, 32), "red").save("pictures/red.png")
    make_generated(Path("runs/images"), made_grid(prompts=1, samples=1))
    commands = [line for text in blocks("sh") for line in text.splitlines() if line.startswith("diptych")]
    assert len(commands) == 4
    for command in commands:
        result = call(*shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}\n{result.output}"
    sets = {found.name.rpartition("-")[0]: found for found in open_dataset(Path("runs/red/pool")).column_sets("scores")}
    assert set(sets) == {"crowd", "decoded", "redness"}
    assert all(-1 <= value <= 1 for value in read_shard(sets["redness"].files[0])["redness"].to_pylist())
    (sql,) = re.findall(r'duckdb\.sql\("{3}(.*?)"{3}', TEXT, flags=re.DOTALL)
    assert duckdb.sql(sql).columns == ["label", "count_star()"]


def test_configs_of_judges_in_the_docs_fit() -> None:
    rest = {"job": "evaluate", "store": "s.duckdb", "datasets": {"images": {"path": "runs/images"}}}
    parts = [yaml.safe_load(text) for text in blocks("yaml") if "judges:" in text]
    configs = [
        CurateConfig.model_validate(part) if "job" in part else EvaluateConfig.model_validate({**rest, **part})
        for part in parts
    ]
    scores = [set(config.scores) for config in configs]
    for wanted in (
        {"objects"},
        {"text"},
        {"pick", "hps", "hps3", "reward", "vqa"},
        {"objects", "sure_objects", "hats"},
        {"medium"},
    ):
        assert wanted in scores


def test_own_file_is_averaged_by_an_evaluation_with_several_workers(tmp_path: Path) -> None:
    write(LENGTH)
    make_generated(tmp_path / "generated", made_grid(), rows_per_shard=4)
    config = {
        "job": "evaluate",
        "store": "store.duckdb",
        "datasets": {"generated": {"path": "generated"}},
        "scores": {"mine": {"score": "mine.py:length", "options": {"times": 2}}},
        "means": [{"score": "length"}],
    }
    write(yaml.safe_dump(config), "config.yaml")
    result = call("evaluate", "run", "config.yaml", "--workers", 2)
    assert result.exit_code == 0, result.output
    found = call("evaluate", "results", "store.duckdb", "--json")
    assert '"metric": "mine.length"' in found.output


def test_file_and_options_are_in_the_identity_and_its_place_is_not(tmp_path: Path) -> None:
    write(LENGTH)
    first = make_score("mine.py:length", {}).identity
    assert first["score"] == "length"
    write(LENGTH, "elsewhere.py")
    assert make_score("elsewhere.py:length", {}).identity == first
    assert make_score(f"{tmp_path}/mine.py:length", {}).identity == first
    assert make_score("mine.py:length", {"times": 2}).identity != first
    write(f"{LENGTH}\n# a remark\n")
    assert make_score("mine.py:length", {}).identity != first


def test_changed_file_is_scored_anew(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(5))
    write(LENGTH)
    assert lengths(tmp_path / "set", plan()) == [14.0] * 5
    write(LENGTH.replace("* self.times", "+ self.times"))  # of the same length, so that no cache of bytecode notices
    assert lengths(tmp_path / "set", plan()) == [15.0] * 5
    assert len(open_dataset(tmp_path / "set").column_sets("scores")) == 2
    assert not list(tmp_path.rglob("__pycache__"))


def test_file_that_changes_while_a_run_begins_is_noticed(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", good_rows(2))
    write(LENGTH)
    names = plan().build().set_names(plan())
    places = {key: dataset.location / key[0] / name for key, name in names.items()}
    job = ScoreJob(dataset.location, plan(), places, 64, 1)
    write(LENGTH.replace("* self", "+ self"))
    with pytest.raises(DataError, match="mine: a file that it is made from has changed since this run began"):
        job.open(lambda rows, reasons: None)


def test_encoder_is_part_of_the_identity() -> None:
    write(LENGTH.replace("*, times: int = 1", "*, encoder, times: int = 1"))
    made = [make_score("mine.py:length", {"encoder": make_encoder("projection", {"seed": seed})}) for seed in (0, 1)]
    assert made[0].identity != made[1].identity
    assert encoder_of(made[0]) is None, "it reads no vectors"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nonsense_42", r"^mine\.py:1: score 'mine\.py:length': the file raises ModuleNotFoundError: No module"),
        ("\n\nx = 1 / 0", r"^mine\.py:3: score .*: the file raises ZeroDivisionError: division by zero$"),
        ("def f():\n    g()\ndef g():\n    raise ValueError\nf()", r"^mine\.py:4: .*the file raises ValueError"),
        ("import json\njson.loads('{')", r"^mine\.py:2: .*JSONDecodeError"),
        ("x = 1\n  y = 2", r"^mine\.py:2: .*the file raises IndentationError"),
        ("import sys\nsys.exit(3)", r"^mine\.py:2: .*the file raises SystemExit: 3"),
        ("x = '\0'", r"^mine\.py.*the file raises (SyntaxError|ValueError): source code.*null bytes"),
        ("def lenght(): ...", r"^score 'mine\.py:length': unknown factory 'length'; did you mean 'lenght'\?"),
        ("length = 3", "unknown factory 'length'"),
        ("def length(): return 7", "the factory returned int, which has no identity, columns, reads, score"),
        (f"{CLASS}def length(): return Mine", "the factory returned the class Mine, not a score; return Mine()"),
        (f"{CLASS}    score = 3\ndef length(): return Mine()", "score is 3; a method that takes a batch is needed"),
        (
            f"{CLASS}    columns = 'n'\ndef length(): return Mine()",
            "its columns are 'n'; a tuple of diptych.scores.Col",
        ),
        (f"{CLASS}    reads = None\ndef length(): return Mine()", r"reads is None; a set is needed, such as frozenset"),
        ("def length():\n    raise KeyError('x')", r"^mine\.py:2: .*the factory raises KeyError: 'x'"),
        ("def length(*, needed): ...", "the option 'needed' is missing"),
        (LENGTH.replace('{"caption"}', '{"captions"}'), "reads: unknown part of a row 'captions'"),
        (LENGTH.replace('{"caption"}', '{"embedding"}'), "reads embedding, but has no encoder"),
        (LENGTH.replace('{"caption"}', '{"evidence"}'), "reads evidence, but has no looks"),
        (LENGTH.replace('"length", "Char', '"reason", "Char'), r"its columns are \['reason'\]; each needs a name"),
        (LENGTH.replace('"length", "Char', '"Reason", "Char'), r"its columns are \['Reason'\]; each needs a name"),
        (
            LENGTH.replace('(Column("length", ', '(Column("Length", "x"), Column("length", '),
            r"its columns are \['Length', 'length'\]; each needs a name",
        ),
        (LENGTH.replace('factor"', 'factor", dtype="float"'), "column 'length': unknown dtype 'float'"),
        (LENGTH.replace('{"score": "length"}', '{"score": {1}}'), "its identity is no JSON"),
    ],
)
def test_what_is_no_score_is_said_in_one_line_with_its_place(text: str, message: str) -> None:
    write(text)
    with pytest.raises(ConfigError, match=message) as caught:
        make_score("mine.py:length", {})
    assert "\n" not in str(caught.value)


def test_missing_file_is_named_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"score 'no.py:length': {tmp_path}/no.py cannot be read: No such file"):
        make_score("no.py:length", {})


def test_options_of_the_wrong_type_are_named() -> None:
    write(LENGTH)
    with pytest.raises(ConfigError, match=r"score 'mine\.py:length': option 'times': has to be a whole number"):
        make_score("mine.py:length", {"times": "many"})


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ('{"lenght": [1.0] * len(batch.keys)}', "returned no column 'length', only lenght"),
        ('{"length": [1.0]}', "'length' has 1 values for a batch of 4"),
        ('{"length": [1.0] * 4, "reason": []}', "'reason' has 0 values for a batch of 4"),
        ('{"length": 1.0}', "'length' has 1 values for a batch of 4"),
        ('{"length": ["many"] * 4}', "'length' is no column of float32: "),
        ('{"length": np.zeros((4, 2))}', "'length' is no column of float32: "),
        ("None", "returned NoneType; a dict of an array per column is needed"),
    ],
)
def test_what_a_score_returns_is_checked(tmp_path: Path, returned: str, message: str) -> None:
    make_dataset(tmp_path / "set", good_rows(4))
    write(re.sub(r"return \{\"length\".*", f"return {returned}", LENGTH))
    place = f"{tmp_path}/set/data/00000.parquet: score 'mine.py:length': "
    with pytest.raises(OwnScoreError, match=re.escape(place) + message):
        score_dataset(tmp_path / "set", plan(), progress="none")


RAISED = (
    ("return {}['nothing']", "raises KeyError: 'nothing'; diptych --debug shows the traceback"),
    ("raise SystemExit(4)", "raises SystemExit: 4; diptych --debug shows the traceback"),
    ("raise ValueError('two\\nlines')", "raises ValueError: two lines; diptych --debug shows the traceback"),
)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("line", "said"), RAISED)
def test_a_score_that_raises_is_one_line_with_its_place_and_the_shard(
    tmp_path: Path, line: str, said: str, workers: int
) -> None:
    make_dataset(tmp_path / "set", good_rows(4))
    write(re.sub(r"return \{\"length\".*", lambda _: line, LENGTH))
    arguments = ["score", str(tmp_path / "set"), "mine.py:length", "--workers", str(workers)]
    result = CliRunner().invoke(main, ["--progress", "none", *arguments])
    assert result.exit_code == 1
    where = f"{tmp_path}/set/data/00000.parquet: mine.py:14: score 'mine.py:length'"
    assert result.output == f"Error: {where}: {said}\n"
    shown = CliRunner().invoke(main, ["--debug", "--progress", "none", *arguments]).output
    assert "Traceback" in shown
    assert 'mine.py", line 14, in score' in shown
    assert line in shown


@pytest.mark.parametrize("member", ["identity", "columns", "reads"])
def test_a_member_that_raises_is_one_line_with_its_place(member: str) -> None:
    property_ = f"    @property\n    def {member}(self):\n        raise SystemExit(4)\n"
    write(CLASS + property_ + "\ndef length():\n    return Mine()\n")
    with pytest.raises(ConfigError, match=r"mine\.py:11: score 'mine.py:length': the factory raises SystemExit: 4"):
        make_score("mine.py:length", {})


def test_plain_lists_are_as_good_as_arrays(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", good_rows(4))
    write(re.sub(r"return \{\"length\".*", 'return {"length": [1.0, 2, None, float("nan")]}', LENGTH))
    assert lengths(tmp_path / "set", plan()) == [1.0, 2.0, None, None]
