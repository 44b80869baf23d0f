"""What the command line says of a file beside its format: its models by the dataset's names, the scale of ratings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diptych.errors import ConfigError
from diptych.evaluate.imports.contract import Scale

NUMBER = r"-?\d+(?:\.\d+)?"
SCALE = re.compile(rf"(?P<low>{NUMBER})\s*-\s*(?P<high>{NUMBER})")


@dataclass(frozen=True)
class ModelNames:
    """Names of models.

    Attributes:
        renamed: Theirs -> ours.
        only: Of which model all images are of which the file tells none; None where it tells, or the dataset has one.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    only: str | None = None

    def of(self, image: Mapping[str, str]) -> dict[str, str]:
        """Return what names an image, with its model by the dataset's name for it.

        >>> ModelNames({"theirs": "ours"}).of({"model": "theirs"}), ModelNames(only="ours").of({"sample": "0"})
        ({'model': 'ours'}, {'sample': '0', 'model': 'ours'})
        """
        if "model" in image:
            return {**image, "model": self.renamed.get(image["model"], image["model"])}
        return dict(image) if self.only is None else {**image, "model": self.only}

    @property
    def facts(self) -> Mapping[str, str]:
        """The same as it decides what is imported; the model of a file that tells none is that of an empty name."""
        return {**self.renamed, **({"": self.only} if self.only is not None else {})}


def model_names(given: Sequence[str]) -> ModelNames:
    """Return what ``THEIRS=OURS``, or one ``OURS``, say.

    Raises:
        ConfigError: If one has another form, a model is renamed twice, or two are named for the whole file.
    """
    renamed: dict[str, str] = {}
    only: str | None = None
    for one in given:
        theirs, equals, ours = one.partition("=")
        if not equals and one and only is None:
            only = one
        elif equals and theirs and ours and theirs not in renamed:
            renamed[theirs] = ours
        else:
            raise ConfigError(
                f"--model: {one!r}: say THEIRS=OURS, once for each model of the file, or once OURS, where it tells none"
            )
    return ModelNames(renamed, only)


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
