"""What the command line says of a file beside its format: its models by the dataset's names, the scale of ratings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from diptych.errors import ConfigError
from diptych.evaluate.imports.contract import EvidenceRecord, Scale

NUMBER = r"-?\d+(?:\.\d+)?"
SCALE = re.compile(rf"(?P<low>{NUMBER})\s*-\s*(?P<high>{NUMBER})")


@dataclass(frozen=True)
class ModelNames:
    """Names of models.

    Attributes:
        renamed: Theirs -> ours.
        only: Of each file, of which model all images are of which it tells none; empty where the files tell, or the
            dataset has one.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()

    def named(self, record: EvidenceRecord, file: int) -> EvidenceRecord:
        """Return a record of a file, by its number, with the model by the dataset's name for it."""
        image = dict(record.image)
        if "model" in image:
            image["model"] = self.renamed.get(image["model"], image["model"])
        elif self.only:
            image["model"] = self.only[file]
        return replace(record, image=image, folder=self.renamed.get(record.folder, record.folder))


def model_names(given: Sequence[str], files: int) -> ModelNames:
    """Return what ``THEIRS=OURS``, or one ``OURS`` for each of so many files, say.

    Raises:
        ConfigError: If one has another form, a model is renamed twice, or not each file has one of its own.
    """
    renamed: dict[str, str] = {}
    only: list[str] = []
    for one in given:
        theirs, equals, ours = one.partition("=")
        if not equals and one and len(only) < files:
            only.append(one)
        elif equals and theirs and ours and theirs not in renamed:
            renamed[theirs] = ours
        else:
            raise ConfigError(
                f"--model: {one!r}: say THEIRS=OURS, once for each model of a file, or once OURS for each file, where "
                f"it tells none"
            )
    if only and len(only) < files:
        raise ConfigError(
            f"--model: {', '.join(only)}: say whose images each of the {files} files is about, in their order"
        )
    return ModelNames(renamed, tuple(only))


def scale_of(text: str | None) -> Scale | None:
    """Return the ends that ``LOW-HIGH`` names; None where nothing was said.

    Raises:
        ConfigError: If it names no two, or the first is not the lower.

    >>> scale_of("1-5"), scale_of("-1-1")
    ((1.0, 5.0), (-1.0, 1.0))
    """
    if text is None:
        return None
    found = SCALE.fullmatch(text.strip())
    if found is None or not float(found["low"]) < float(found["high"]):
        raise ConfigError(f"--scale: {text!r} is not the least and the most that a rating can be, such as 1-5")
    return float(found["low"]), float(found["high"])
