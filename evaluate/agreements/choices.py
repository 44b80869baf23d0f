"""What a config says of two judges that are to be held against each other. Loads where only the base install is."""

from pydantic import Field, model_validator

from diptych.config.settings import Settings
from diptych.evaluate.inputs.choices import By, Datasets
from diptych.store.agreements import joint_label

AT_LEAST = "from this number on it is a yes; needed where there are other numbers than 0 and 1"


class AgreementChoice(Settings):
    """How far two judges say the same of the same images."""

    a: str = Field(description="a column of a score: what one judge says")
    b: str = Field(description="a column of another score: what the other one says, or people")
    truth: bool = Field(False, description="whether b is right, as people are: a has a balanced accuracy then")
    at_least_a: float | None = Field(None, description=AT_LEAST)
    at_least_b: float | None = Field(None, description=AT_LEAST)
    by: By = ()
    datasets: Datasets = None

    @model_validator(mode="after")
    def _two_are_named(self) -> "AgreementChoice":
        if self.a == self.b:
            raise ValueError(f"a and b are both {self.a!r}; name two columns")
        return self

    @property
    def label(self) -> str:
        """What its numbers stand under."""
        return joint_label(self.a, self.b)
