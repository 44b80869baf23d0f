"""Detectors that look for whatever they are asked for, through transformers; how is up to the ``Seeker`` of a family.

Each label is looked for by itself: what is said of one does not depend on what else is asked, and a thing that two
labels fit is told twice. Pictures of one prepared size are looked at together and none is padded, so that no neighbour
changes what is found. With an ``encoder`` a detector tells colours as well, see ``colours``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from diptych.data.images import Image
from diptych.devices import Precision
from diptych.errors import ConfigError
from diptych.judges.boxes.colours import COLOURS, ColourNames
from diptych.judges.boxes.detections import Detection, DetectorOptions, Prepared, check_least_score, prepared_picture
from diptych.judges.contract import COLOUR, Box
from diptych.judges.prepared import groups_of_one_shape
from diptych.pretrained.folder import PretrainedFolder, find_pretrained

CHUNK = 8  # pictures that are held at once, as the network takes them
NETWORK = "AutoModelForZeroShotObjectDetection"
GAP = "{}"

TokenIds = tuple[int, ...]


class Seeker(Protocol):
    """How one family of networks is asked for a label."""

    @property
    def judge(self) -> str:
        """Name of the judge."""
        ...

    @property
    def families(self) -> tuple[str, ...]:
        """The ``model_type`` of each configuration whose network it can ask."""
        ...

    @property
    def text(self) -> str:
        """What the network reads, with a gap ``{}`` for the label."""
        ...

    @property
    def rule(self) -> str:
        """How the score of a label comes about, for the identity."""
        ...

    @property
    def separators(self) -> str:
        """The signs that would end a label."""
        ...

    def longest(self, config: Mapping[str, Any]) -> int:
        """Return how many tokens of a text the network reads, by its ``config.json``."""
        ...

    def seek(
        self, network: Any, prepared: Sequence[Prepared], asked: Sequence[Sequence[TokenIds]], least: float
    ) -> Iterator[list[Detection]]:
        """Yield what is in each of some pictures of one prepared size, the corners within the picture.

        Args:
            network: The network.
            prepared: The pictures.
            asked: The texts of the labels to look for in each; a detection has the place of its label as its number.
            least: What is less sure is not told.
        """
        ...


@dataclass(frozen=True, eq=False)
class OpenLabels:
    """One detector, loaded on first use.

    Attributes:
        seeker: How its network is asked.
        model: Where it is.
        names: By what words a label is looked for, where these are not its own.
        least_score: What it is less sure of it does not tell, in [0, 1).
        colours: Tells the colours of things; None tells none.
        precision: Of weights and activations.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    """

    seeker: Seeker
    model: PretrainedFolder
    names: Mapping[str, str]
    least_score: float
    colours: ColourNames | None
    precision: Precision
    device: str

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, sha256 of the model's files, how a label is asked and scored, least score, precision, colours.

        Labels are asked one by one, whatever else is asked.
        """
        return {
            "judge": self.seeker.judge,
            "version": 1,
            **self.model.facts,
            "text": self.seeker.text,
            "labels_at_once": 1,
            "names": dict(sorted(self.names.items())),
            "rule": self.seeker.rule,
            "least_score": self.least_score,
            "precision": self.precision,
            "colours": None if self.colours is None else self.colours.identity,
        }

    @property
    def labels(self) -> None:
        """It looks for any label that it is given."""
        return None

    @property
    def traits(self) -> Mapping[str, tuple[str, ...]]:
        """The colours, where an encoder tells them."""
        return {} if self.colours is None else {COLOUR: COLOURS}

    def check_labels(self, labels: Iterable[str]) -> None:
        """Check that each of some labels can be asked for.

        Raises:
            ConfigError: If one cannot: it has a sign that would end it, words that the model does not know, or more
                than it reads.
        """
        for label in labels:
            self._tokens(label)

    def boxes(self, images: Sequence[Image], labels: Sequence[Sequence[str]] | None = None) -> list[list[Box] | None]:
        """Return what of its labels is in each RGB image, the surest first; None for one that it cannot take.

        Raises:
            ConfigError: If no labels are given, or one cannot be asked for, see ``check_labels``.
        """
        if labels is None:
            raise ConfigError(f"{self._where}: looks for what it is asked for, and nobody says what")
        tokens = {label: self._tokens(label) for label in dict.fromkeys(label for some in labels for label in some)}
        found: list[list[Box] | None] = [None if some else [] for some in labels]
        asked = [number for number, some in enumerate(labels) if some]
        for start in range(0, len(asked), CHUNK):
            numbers = asked[start : start + CHUNK]
            prepared = {number: one for number in numbers if (one := self._prepared(images[number])) is not None}
            for alike in groups_of_one_shape({number: one.pixels for number, one in prepared.items()}, CHUNK):
                texts = [[tokens[label] for label in labels[number]] for number in alike]
                things = self._seek([prepared[number] for number in alike], texts)
                for number, some in zip(alike, things, strict=True):
                    found[number] = self._boxes(images[number], labels[number], some)
        return found

    def _prepared(self, image: Image) -> Prepared | None:
        return prepared_picture(self._processor, image, f"{self._where}: {self.model.path}")

    def _seek(self, prepared: Sequence[Prepared], asked: Sequence[Sequence[TokenIds]]) -> Iterator[list[Detection]]:
        import torch

        with torch.inference_mode():
            yield from self.seeker.seek(self._network, prepared, asked, self.least_score)

    def _boxes(self, image: Image, labels: Sequence[str], things: Sequence[Detection]) -> list[Box]:
        boxes = [Box(labels[thing.number], min(thing.score, 1.0), thing.corners) for thing in things]
        surest = sorted(boxes, key=lambda box: (-box.score, box.label, box.corners))
        return surest if self.colours is None else self.colours.told_of(image, surest)

    def _tokens(self, label: str) -> TokenIds:
        """Return what the network reads for a label."""
        words = self.names.get(label, label).strip()
        said = f"{self._where}: the label {label!r}" + (f", asked as {words!r}," if words != label else "")
        how = f"write how to ask for it in names: {{{label}: ...}}"
        if not words or any(sign in words for sign in self.seeker.separators):
            ends = " or ".join(repr(sign) for sign in self.seeker.separators)
            raise ConfigError(f"{said} is empty{' or has a sign ' + ends if ends else ''}; {how}")
        ids = tuple(self._tokenizer(self.seeker.text.replace(GAP, words))["input_ids"])
        longest = self.seeker.longest(self.model.config)
        if len(ids) > longest:
            raise ConfigError(
                f"{said} has {len(ids):,} tokens with those around it, and the model reads {longest}; {how}"
            )
        if (unknown := self._tokenizer.unk_token_id) in ids and unknown != self._tokenizer.eos_token_id:
            raise ConfigError(f"{said} has a word that the model does not know; {how}")
        return ids

    @property
    def _where(self) -> str:
        return f"judge {self.seeker.judge!r}"

    @cached_property
    def _processor(self) -> Any:
        return self.model.processor("AutoImageProcessor")

    @cached_property
    def _tokenizer(self) -> Any:
        return self.model.processor("AutoTokenizer")

    @cached_property
    def _network(self) -> Any:
        return self.model.load(NETWORK, self.precision, self.device)


def open_labels(seeker: Seeker, options: DetectorOptions) -> OpenLabels:
    """Return a detector; finds (and downloads, unless offline) its files but loads no weights yet.

    Raises:
        ConfigError: If there is no such model, it is of another family, or the least score is out of range.
        DataError: If the model cannot be fetched.
    """
    where = f"judge {seeker.judge!r}"
    check_least_score(options.least_score, where)
    model = find_pretrained(options.weights, f"{where}: weights")
    family = model.config.get("model_type")
    if family not in seeker.families:
        raise ConfigError(
            f"{where}: weights: {model.path} is a model of {family}, not of {' or '.join(seeker.families)}"
        )
    colours = None if options.encoder is None else ColourNames(options.encoder)
    return OpenLabels(
        seeker, model, options.names or {}, options.least_score, colours, options.precision, options.device
    )
