"""Every example of README and the docs runs as it is written, or is left out for a reason that is written down."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants
import PIL.Image
import pytest
from doc_examples import DOCUMENTS, FENCED, LANGUAGES, ROOT, Examples, blocks, command_of, mentioned, sections
from example_world import STAND_INS, furnish
from trackers import install_mlflow, install_trackio

from diptych.lookup import resolve

# What becomes of each example, document by document. What has changed is printed by the test that compares.
BECAME = ROOT / "tests" / "golden" / "examples.txt"
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
WITH_EXAMPLES = [name for name, text in TEXTS.items() if {block.language for block in blocks(text)} - {"text"}]


def with_stand_ins(table: Mapping[str, str], kind: str, name: str) -> Callable[..., Any]:
    """Return what sends to a tracker, with stand-ins for those that are not installed as long as it sends."""
    send = resolve(table, kind, name)

    def sent(*arguments: object) -> Any:
        with pytest.MonkeyPatch.context() as patch:  # other libraries look whether they are there
            install_mlflow(patch)
            install_trackio(patch)
            return send(*arguments)

    return sent


@pytest.fixture
def _nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_OFFLINE", "1")
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(PIL.Image.Image, "show", lambda image: None)  # would open a window
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setattr("diptych.evaluate.loggers.sending.resolve", with_stand_ins)


@pytest.mark.parametrize("document", WITH_EXAMPLES)
@pytest.mark.usefixtures("_nothing_is_downloaded")
def test_examples_become_what_is_written_down(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = Examples(STAND_INS)
    for number, section in enumerate(sections(document)):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        furnish(folder, ROOT)
        examples.stood_in.clear()
        examples.run(section)
    found = [f"{became}: {what}" for became, what in examples.became]
    assert found == expected(document), "\n".join(["put into tests/golden/examples.txt:", f"# {document}", *found])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_text_names_is_there_with_its_options(document: str) -> None:
    for text in mentioned(TEXTS[document]):
        command, rest = command_of(text.split()[1:])
        assert command is not None, text
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= known | {"--help"}, text


def test_no_command_stands_in_a_block_that_nobody_runs() -> None:
    for document, text in TEXTS.items():
        assert "\n    diptych " not in FENCED.sub("", text), document
        assert {block.language for block in blocks(text)} <= LANGUAGES, document


def test_what_is_written_down_is_of_documents_that_are_there() -> None:
    named = re.findall(r"^# (.*)$", BECAME.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == WITH_EXAMPLES


def expected(document: str) -> list[str]:
    """Return what is written down of the examples of a document."""
    part = BECAME.read_text(encoding="utf-8").partition(f"# {document}\n")[2]
    return part.partition("\n# ")[0].strip().splitlines()
