"""The examples of the documents: which there are, and what becomes of each where nothing can be downloaded.

A block of the language ``sh`` holds commands, one of ``console`` those behind ``$`` with what they print. A block whose
first line is ``# name.yaml`` or ``# name.py`` is a file of that name. Everything is run in its order, in one folder for
each document, and for each section where a document says that it stands for itself.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import click
import duckdb
import yaml
from click.testing import CliRunner

from diptych.cli import CONFIGS, main
from diptych.errors import DiptychError
from diptych.lookup import import_attribute

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Documents whose sections each begin in a folder of their own, as they say.
STANDING_ALONE = {"README.md", "docs/how-to.md"}
LANGUAGES = {"sh", "console", "yaml", "python", "json", "text"}
NAMED = re.compile(r"# ([\w/]+\.(?:yaml|py))\b")
INSTALLERS = {"git", "make", "pip", "python3"}  # of these the CI runs its own
# Of a shell: the Python that runs the tests, and the code that they test.
SHELL = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
# What the product says where a file of somebody else's has to be fetched first, and the name that it gives it.
DOWNLOAD = re.compile(
    r"(?:the weights )?([\w./-]+?)/? (?:are|is) not (?:cached|in the (?:hub's )?cache).*"
    r"(?:cannot be downloaded|downloads are off)"
)
# What a block shows of a command that ends with exit code 1.
FAILS = re.compile(r"^Error: |^\{\"error\": |not what was written$")
# Jobs whose keys a part of a config in a document may have, by document; the first that has them all is meant.
JOBS = ("curate", "evaluate", "generate", "report")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str


def sections(document: str) -> list[str]:
    """Return the texts of a document that stand for themselves."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.split(r"^(?=## )", text, flags=re.MULTILINE) if document in STANDING_ALONE else [text]


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a text, in order."""
    return [Block(*found.groups()) for found in FENCED.finditer(text)]


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of a block, and the lines that each is shown to print; of ``sh`` none is shown to print any.

    A line that ends in a backslash goes on.
    """
    lines = block.text.replace("\\\n", " ").splitlines()
    starts = [number for number, line in enumerate(lines) if block.language == "sh" or line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if command := lines[start].removeprefix("$ ").strip():
            yield command, lines[start + 1 : end] if block.language == "console" else []


def mentioned(text: str) -> Iterator[str]:
    """Yield the commands that are named in running text, and in blocks that are none of commands."""
    for found in re.finditer(r"`(diptych [^`]+)`", FENCED.sub("", text)):
        yield " ".join(found[1].split())
    for block in blocks(text):
        if block.language == "text":
            yield from (line.strip() for line in block.text.splitlines() if line.strip().startswith("diptych "))


def masked(text: str) -> str:
    """Return a text without what depends on the pictures: numbers, digits of hashes, and the spaces that align them."""
    return re.sub(r"\s+", " ", re.sub(r"\b[0-9a-f]{8,}\b|\d[\d.,]*", "#", text)).strip()


@dataclass
class Examples:
    """The examples of a document, run in the folder where the process stands.

    Attributes:
        stand_ins: By a place: what makes it where a command that would have made it needs a download.
        became: What became of each: ``ran``, ``fits`` (a config, or a part of one), ``written``, or why it was left
            out; with what it is.
        stood_in: The places that were made so.
    """

    stand_ins: Mapping[str, Callable[[Path], None]]
    became: list[tuple[str, str]] = field(default_factory=list)
    stood_in: set[str] = field(default_factory=set)
    _about: str = ""

    def run(self, text: str) -> None:
        """Run all examples of a text."""
        for block in blocks(text):
            assert block.language in LANGUAGES, f"a block of the language {block.language!r}: {block.text}"
            named = NAMED.match(block.text)
            if named and block.language in {"yaml", "python"}:
                Path(named[1]).write_text(block.text, encoding="utf-8")
                self._note(f"{named[1]}", "written")
            if block.language == "yaml":
                self._check_config(block.text, named[1] if named else None)
            elif block.language == "python" and not named:
                self._run_python(block.text)
            elif block.language == "json":
                for line in re.split(r"\n(?=\{)", block.text):
                    json.loads(line)
            for command, shown in commands(block) if block.language in {"sh", "console"} else ():
                self._run_command(command, shown)

    def _note(self, what: str, became: str) -> None:
        about = self._about if became == "ran" else ""
        self.became.append((f"{became}{about}", re.sub(r"\s+# .*", "", what)))
        self._about = ""

    def _check_config(self, text: str, name: str | None) -> None:
        values = yaml.safe_load(text)
        job = values.get("job") or next(job for job in JOBS if set(values) <= set(fields(job)))
        model = import_attribute(CONFIGS[job])
        if "job" in values:
            model.model_validate(values)
            if name is None:
                self._note(f"job: {job}", "fits")
        else:
            for key, value in values.items():
                check_part(model, key, value, values)
            self._note(f"{job}: {', '.join(values)}", "fits")

    def _run_python(self, text: str) -> None:
        first = text.strip().splitlines()[0]
        self._provide(text)
        try:
            exec(compile(text, "example", "exec"), {"__name__": "__main__"})
        except DiptychError as error:
            if not (missing := DOWNLOAD.search(str(error))):
                raise
            return self._note(f"python: {first}", f"needs {missing[1]}")
        return self._note(f"python: {first}", "ran")

    def _provide(self, text: str, made: Container[str] = ()) -> None:
        """Make what a text and the configs that it names speak of, and no example, before or at hand, makes."""
        configs = filter(Path.is_file, map(Path, re.findall(r"[\w/]+\.yaml", text)))
        text += "".join(config.read_text(encoding="utf-8") for config in configs)
        for place in self.stand_ins:
            if spoken_of(place, text) and place not in made and not Path(place).exists():
                self._stand_in(place)
        if any(spoken_of(place, text) for place in self.stood_in - set(made)):
            self._about = " on a stand-in"

    def _stand_in(self, place: str) -> None:
        self.stand_ins[place](Path(place))
        self.stood_in.add(place)

    def _run_command(self, command: str, shown: Sequence[str]) -> None:
        words = shlex.split(command, comments=True)
        if words[0] in INSTALLERS:
            return self._note(command, "installs")
        made = set(made_by(words[1:])) if words[0] == "diptych" else set()
        self._provide(command, made)
        if words[0] == "duckdb":
            duckdb.connect(words[1], read_only=True).execute(words[2])
            return self._note(command, "ran")
        if words[0] != "diptych":
            subprocess.run(["bash", "-ec", command], check=True, timeout=120, capture_output=True, env=SHELL)
            return self._note(command, "ran")
        return self._run_diptych(words[1:], shown)

    def _run_diptych(self, words: list[str], shown: Sequence[str]) -> None:
        command = shlex.join(["diptych", *words])
        parse(words)
        result = CliRunner().invoke(main, words, env={"DIPTYCH_PROGRESS": "none"})
        if isinstance(result.exception, Exception):
            raise AssertionError(f"{command}: {result.output}") from result.exception
        fails = any(map(FAILS.search, shown))
        if result.exit_code == int(fails):
            printed = set(map(masked, result.output.splitlines()))
            assert {masked(line) for line in shown} - printed == set(), f"{command}\n{result.output}"
            return self._note(command, "fails as shown" if fails else "ran")
        missing = DOWNLOAD.search(result.stderr)
        assert missing, f"{command}\n{result.output}"
        for place in () if "--dry-run" in words else filter(self.stand_ins.__contains__, made_by(words)):
            if Path(place).exists():
                Path(place).rename(f"{place}-as-far-as-it-came")
            self._stand_in(place)
        return self._note(command, f"needs {missing[1]}")


def spoken_of(place: str, text: str) -> bool:
    """Return whether a text names a place, or something in it."""
    return bool(re.search(rf"{re.escape(place)}(?![\w.-])", text))


def fields(job: str) -> Any:
    """Return the keys of the config of a job."""
    return import_attribute(CONFIGS[job]).model_fields


def check_part(model: Any, key: str, value: Any, beside: dict[str, Any]) -> None:
    """Check one key of a config by its own type; what other keys have to say of it is not there to be asked."""
    from pydantic import TypeAdapter

    TypeAdapter(model.model_fields[key].annotation).validate_python(value)
    assert key in beside


def command_of(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """Return the command that the words begin with, None where there is none, and the words behind it."""
    words = list(words)
    command: click.Command | None = main
    while isinstance(command, click.Group) and words and (words[0][:1].islower() or words[0].startswith("--")):
        word = words.pop(0)
        if not word.startswith("--"):
            command = command.get_command(click.Context(command), word)
        elif any(word in option.opts and not getattr(option, "is_flag", False) for option in command.params):
            words.pop(0)  # the value of an option of the group
    return command, words


def parse(words: list[str]) -> None:
    """Check that the words are a command with options that it has."""
    command, rest = command_of(words)
    assert command is not None, words
    with command.make_context("example", rest):
        pass


def made_by(words: list[str]) -> Iterator[str]:
    """Yield the places that a command makes: what follows --out, and the store of an evaluation."""
    if "--out" in words:
        yield words[words.index("--out") + 1]
    if words[:2] == ["evaluate", "run"]:
        yield str(yaml.safe_load(Path(words[2]).read_text(encoding="utf-8"))["store"])
