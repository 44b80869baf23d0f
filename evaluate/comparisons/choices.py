"""What a config says of comparisons."""

from typing import Annotated

from pydantic import Field

from diptych.config.identity import CameLater
from diptych.config.name_in import NameIn
from diptych.config.settings import Settings
from diptych.data.generated_columns import compared_columns


class Compare(Settings):
    """Differences of every mean between the values of a column, over images of the same prompt, sample and the rest."""

    by: Annotated[str, NameIn("column", compared_columns)] = Field("model", description="what is compared with what")
    baseline: str | None = Field(None, description="a value of that column; None compares each with each")
    margins: Annotated[dict[str, Annotated[float, Field(gt=0)]], CameLater()] = Field(
        default_factory=dict, description="by metric: the largest difference that counts as none, for equivalence"
    )
    encoders: tuple[str, ...] = Field(
        (), description="labels of encoders by which it is told how far apart the two pictures of a pair are"
    )

    def __str__(self) -> str:
        """Return what is compared in a few words.

        >>> str(Compare(by="setting", encoders=("lpips",)))
        'setting, pictures by lpips'
        """
        return ", pictures by ".join([self.by, *([" and ".join(self.encoders)] if self.encoders else [])])
