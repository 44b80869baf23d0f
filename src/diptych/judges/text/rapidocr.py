"""RapidOCR: PaddleOCR's networks in ONNX, which come with the wheel and read Latin letters, Chinese and Japanese.

A network finds lines, a second says whether one is upside down, a third reads it. In scripts that it does not know,
such as Cyrillic, Korean or Arabic, it reads nothing or letters that look alike; ``recognition`` gives it another one.
The library would fetch what it lacks: here every network is a file that is named, and nothing is fetched.

Each picture is read on one thread, several side by side, so that neither their number nor the load of the machine
decides a number. A picture whose long side is over 2,000 pixels is made that small first (the library's rule).
"""

import importlib.metadata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL.Image

from diptych.assets import file_sha256, named_path
from diptych.data.images import Image
from diptych.errors import ConfigError, DataError, Shortage, one_line
from diptych.judges.contract import TextLine
from diptych.judges.prepared import ORDINARY
from diptych.judges.text.lines import in_reading_order, upright
from diptych.lookup import naming_extras
from diptych.pretrained.memory import HeldWeights
from diptych.shortage import telling_shortage

WHERE = "judge 'rapidocr'"
LEAST_CONFIDENCE = 0.5  # the library's own
MOST_STRETCHED = 16  # long side by short side: a strip is blown up until its short side suits, and takes gigabytes
SIDE_BY_SIDE = 4  # pictures at once; each may take half a gigabyte

# The networks of the wheel.
DETECTION = "PP-OCRv6_det_small.onnx"
DIRECTION = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"
CHARACTERS = "character"  # under which a network that reads holds those that it knows, one a line
BEYOND = 2  # a network that reads has two outputs more than characters: nothing, and a space


class Networks(NamedTuple):
    """The files of the networks: one that finds lines, one that tells which are upside down, one that reads them."""

    detection: Path
    direction: Path
    recognition: Path


@dataclass(frozen=True, eq=False)
class RapidOcr:
    """One reader, loaded on first use.

    Attributes:
        networks: Their files.
        least_confidence: A line that it is less sure of it does not tell, in [0, 1].
    """

    networks: Networks
    least_confidence: float

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, the library's version, sha256 of each network, least confidence."""
        return {
            "judge": "rapidocr",
            "version": 1,
            "library": f"rapidocr {importlib.metadata.version('rapidocr')}",
            **{f"{name}_sha256": file_sha256(path) for name, path in self.networks._asdict().items()},
            "least_confidence": self.least_confidence,
        }

    @property
    def held_weights(self) -> HeldWeights:
        """What it will load: its networks run on processors."""
        return HeldWeights(tuple(self.networks), "fp32", "cpu", WHERE)

    def text(self, images: Sequence[Image]) -> list[list[TextLine] | None]:
        """Return the lines in each RGB image in reading order; None for one of a side over 16 times the other.

        Raises:
            DataError: If a network does not load, or is none of its kind.
        """
        if not images:
            return []
        reader = self._reader  # loaded here, not by several threads
        with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(images))) as threads:
            return list(threads.map(lambda image: self._read(reader, image), images))

    def _read(self, reader: Any, image: Image) -> list[TextLine] | None:
        if max(image.size) > MOST_STRETCHED * min(image.size):
            return None
        try:
            with telling_shortage(WHERE):
                found = reader(image)
        except Shortage:
            raise
        except Exception:  # whatever its arithmetic throws at such a picture
            self._check_ordinary(reader)
            return None
        if found.boxes is None or found.txts is None:
            return []
        told = zip(found.txts, found.scores, found.boxes, strict=True)
        lines = (TextLine(text, min(float(score), 1.0), upright(box, image.size)) for text, score, box in told)
        return in_reading_order(lines)

    def _check_ordinary(self, reader: Any) -> None:
        try:
            reader(PIL.Image.new("RGB", ORDINARY))
        except Exception as error:
            raise DataError(f"{WHERE}: reads no picture: {one_line(error)}") from error

    @cached_property
    def _reader(self) -> Any:
        with naming_extras():
            import onnxruntime  # noqa: F401  # without it the library fails inside of a thread
            from rapidocr import RapidOCR
        _check_detection(self.networks.detection)
        _check_recognition(self.networks.recognition)
        return RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": self.least_confidence,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.model_path": str(self.networks.detection),
                "Cls.model_path": str(self.networks.direction),
                "Rec.model_path": str(self.networks.recognition),
            }
        )


def rapidocr(
    *, detection: str | None = None, recognition: str | None = None, least_confidence: float = LEAST_CONFIDENCE
) -> RapidOcr:
    """Return a judge that reads; loads no network yet.

    Args:
        detection: Path of another network that finds lines, in ONNX; None takes the wheel's.
        recognition: Path of another network that reads them, for other languages, in ONNX with its characters in it,
            as RapidOCR publishes them; None takes the wheel's.
        least_confidence: A line that it is less sure of it does not tell, in [0, 1].

    Raises:
        ConfigError: If there is no such file, or the least confidence is out of range.
        DataError: If the installed wheel has other networks; on first use, if one does not load or is none of its kind.
        MissingExtra: If the library is not installed.
    """
    if not 0.0 <= least_confidence <= 1.0:
        raise ConfigError(f"{WHERE}: least_confidence is from 0 to 1, not {least_confidence}")
    networks = Networks(
        _own("detection", detection) or _of_the_wheel(DETECTION),
        _of_the_wheel(DIRECTION),
        _own("recognition", recognition) or _of_the_wheel(RECOGNITION),
    )
    return RapidOcr(networks, least_confidence)


def _own(option: str, name: str | None) -> Path | None:
    if name is None:
        return None
    path = named_path(name)
    if not path.is_file():
        raise ConfigError(f"{WHERE}: {option}: no file {name!r}; give the path of a network in ONNX")
    return path


def _of_the_wheel(name: str) -> Path:
    with naming_extras():
        import rapidocr as library
    path = Path(library.__path__[0], "models", name)
    if not path.is_file():
        version = importlib.metadata.version("rapidocr")
        raise DataError(f"{WHERE}: rapidocr {version} has no {name}; install rapidocr 3.10 again")
    return path


def _check_detection(path: Path) -> None:
    network = _opened(path)
    shape = _output_shape(network, path, (1, 3, 64, 96))
    if shape != (1, 1, 64, 96):
        raise DataError(f"{WHERE}: {path} gives {shape} of a picture of 64 x 96; give a network that finds lines")


def _check_recognition(path: Path) -> None:
    network = _opened(path)
    known = network.get_modelmeta().custom_metadata_map.get(CHARACTERS, "").splitlines()
    if not known:
        raise DataError(f"{WHERE}: {path} does not hold its characters; give one that RapidOCR publishes")
    shape = _output_shape(network, path, (1, 3, 48, 320))
    if len(shape) != 3 or shape[2] != len(known) + BEYOND:
        raise DataError(f"{WHERE}: {path} gives {shape} of a line, which does not fit its {len(known):,} characters")


def _opened(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # whatever the library throws at such a file
        raise DataError(f"{WHERE}: {path} is no network in ONNX: {one_line(error)}") from error


def _output_shape(network: Any, path: Path, shape: tuple[int, ...]) -> tuple[int, ...]:
    try:
        output = network.run(None, {network.get_inputs()[0].name: np.zeros(shape, np.float32)})[0]
    except Exception as error:  # as above
        raise DataError(f"{WHERE}: {path} does not take a picture of {shape}: {one_line(error)}") from error
    return tuple(output.shape)
