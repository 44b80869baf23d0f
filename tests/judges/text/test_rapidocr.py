"""RapidOCR with the networks of its wheel, on letters that are drawn here and on photographs."""

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import rapidocr as library
from PIL import Image
from torchmetrics.functional.text import char_error_rate
from written import written

from diptych.errors import ConfigError, DataError, MissingExtra
from diptych.judges import make_judge
from diptych.judges.text.rapidocr import DETECTION, DIRECTION, RECOGNITION, RapidOcr

NETWORKS = Path(library.__path__[0], "models")

# Lines of a script, and the least share of their characters that is read right. Spaces between kana are not told.
SCRIPTS = {
    "Latin": (("The quick brown fox jumps over", "the lazy dog. 0123456789", "Größe, façade, naïve, señor"), 0.97),
    "Chinese": (("天地玄黄宇宙洪荒。", "日月盈昃辰宿列张。", "寒来暑往秋收冬藏。"), 0.96),
    "Japanese": (("いろはにほへとちりぬるを", "カタカナとひらがな", "東京の天気は晴れです"), 0.96),
}


@pytest.fixture(scope="module")
def reader() -> RapidOcr:
    made = make_judge("rapidocr", {})
    assert isinstance(made, RapidOcr)
    return made


def made(**options: Any) -> RapidOcr:
    judge = make_judge("rapidocr", options)
    assert isinstance(judge, RapidOcr)
    return judge


@pytest.mark.parametrize("script", SCRIPTS)
def test_letters_of_three_scripts_are_read_line_by_line(reader: RapidOcr, script: str) -> None:
    lines, share = SCRIPTS[script]
    (found,) = reader.text([written(lines)])
    assert found is not None
    assert len(found) == len(lines)
    assert 1.0 - float(char_error_rate([line.text for line in found], list(lines))) >= share
    for number, line in enumerate(found):
        left, top, right, bottom = line.corners
        assert 0 <= left < right <= 620
        assert abs((top + bottom) / 2 - (50 + 60 * number)) < 12
        assert line.confidence > 0.9


def test_can_in_a_photograph_is_read_in_two_scripts(reader: RapidOcr, shared: Path) -> None:
    photographs = [shared / f"real/photos/dreambooth/can/0{number}.jpg" for number in (1, 3)]
    for found in reader.text([Image.open(path).convert("RGB") for path in photographs]):
        texts = [line.text for line in found or ()]
        assert {"TRANSATLANTIC", "IPA", "横越大西洋", "印度淡色艾尔啤酒", "6.5%", "330ml"} <= set(texts)
        assert texts.index("TRANSATLANTIC") < texts.index("IPA") < texts.index("横越大西洋") < texts.index("6.5%")


def test_photograph_without_text_has_none(reader: RapidOcr, shared: Path) -> None:
    photograph = Image.open(shared / "real/photos/dreambooth/dog/04.jpg").convert("RGB")
    assert reader.text([photograph, Image.new("RGB", (1, 1))]) == [[], []]


def test_no_neighbour_and_no_number_of_threads_changes_what_is_read(
    reader: RapidOcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [written([f"Number {number}", "and more"], width=240 + 40 * number) for number in range(5)]
    together = reader.text(pictures)
    assert [line.text for line in together[3] or ()] == ["Number 3", "and more"]
    monkeypatch.setattr("diptych.judges.text.rapidocr.SIDE_BY_SIDE", 1)
    assert reader.text(pictures) == together
    assert [reader.text([picture])[0] for picture in reversed(pictures)] == together[::-1]


def test_strip_is_not_read_and_its_neighbour_is(reader: RapidOcr) -> None:
    found = reader.text([Image.new("RGB", (2000, 3)), written(["Number"]), Image.new("RGB", (3, 2000))])
    assert (found[0], found[2]) == (None, None)
    assert [line.text for line in found[1] or ()] == ["Number"]


def test_line_that_it_is_less_sure_of_is_not_told() -> None:
    picture = written(["Number"])
    assert made(least_confidence=1.0).text([picture]) == [[]]
    for share in (-0.1, 1.1):
        with pytest.raises(ConfigError, match=f"judge 'rapidocr': least_confidence is from 0 to 1, not {share}"):
            made(least_confidence=share)


def test_reading_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    made().text([written(["Number"]), Image.new("RGB", (64, 64))])
    assert capfd.readouterr() == ("", "")


def test_making_one_loads_nothing_and_it_can_be_sent_to_a_worker() -> None:
    judge = made()
    assert "_reader" not in vars(pickle.loads(pickle.dumps(judge)))
    assert pickle.loads(pickle.dumps(judge)).identity == judge.identity


def test_identity_follows_from_the_networks_and_not_from_their_place(tmp_path: Path) -> None:
    copy = tmp_path / "reads.onnx"
    copy.write_bytes((NETWORKS / RECOGNITION).read_bytes())
    assert made(recognition=str(copy)).identity == made().identity
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert made(recognition=str(copy)).identity != made().identity
    assert made(least_confidence=0.6).identity != made().identity


def test_networks_of_ones_own_read_as_well(tmp_path: Path) -> None:
    for name in (DETECTION, RECOGNITION):
        (tmp_path / name).write_bytes((NETWORKS / name).read_bytes())
    judge = made(detection=str(tmp_path / DETECTION), recognition=str(tmp_path / RECOGNITION))
    assert [line.text for line in judge.text([written(["Number"])])[0] or ()] == ["Number"]


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("recognition", DETECTION, "does not hold its characters; give one that RapidOCR publishes"),
        ("detection", RECOGNITION, r"does not take a picture of \(1, 3, 64, 96\): "),
        ("detection", DIRECTION, r"gives \(1, 2\) of a picture of 64 x 96; give a network that finds lines"),
        ("recognition", "__init__.py", "is no network in ONNX: "),
    ],
)
def test_network_of_another_kind_is_refused(tmp_path: Path, option: str, name: str, said: str) -> None:
    (tmp_path / "own.onnx").write_bytes(
        (NETWORKS / name if name.endswith("onnx") else NETWORKS.parent / name).read_bytes()
    )
    with pytest.raises(DataError, match=rf"judge 'rapidocr': .*own\.onnx {said}"):
        made(**{option: str(tmp_path / "own.onnx")}).text([written(["Number"])])


def test_network_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"judge 'rapidocr': recognition: no file 'nowhere\.onnx'"):
        made(recognition="nowhere.onnx")


def test_reader_that_reads_no_picture_is_no_fault_of_the_pictures() -> None:
    def fails(image: Image.Image) -> Any:
        raise ValueError(f"no {image.width}")

    def fails_here(image: Image.Image) -> Any:
        return fails(image) if image.width != 64 else None

    judge = made()
    vars(judge)["_reader"] = fails
    with pytest.raises(DataError, match="judge 'rapidocr': reads no picture: no 64"):
        judge.text([Image.new("RGB", (70, 70))])
    vars(judge)["_reader"] = fails_here
    assert judge.text([Image.new("RGB", (70, 70))]) == [None]


def test_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(MissingExtra, match=r"pip install './diptych\[ocr\]'"):
        made()
