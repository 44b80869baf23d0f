"""Zero-shot choice: which of some descriptions is nearest to an image in the space of an encoder, as CLIP classifies.

A question is a description with a gap, ``a figure with an {} hat``, and each choice fills it. With several ``prompts``,
``a photo of {}`` and ``a painting of {}``, each description is put into each, and the mean of their vectors is
compared, as Radford et al. 2021 do (arXiv 2103.00020, section 3.1.4). The probabilities are those of ``nearness``, so
that with a description that is not among the choices the judge is as sure. It cannot answer yes or no; a question
without a gap is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.encoders import Encoder
from diptych.errors import ConfigError
from diptych.judges.answers.asked import chosen
from diptych.judges.contract import Answer, Query
from diptych.judges.nearness import SCALE, mean_directions, shares

GAP = "{}"


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """Chooses by one encoder.

    Attributes:
        encoder: With an image and a text tower.
        scale: What cosines are multiplied by.
        prompts: Texts with a gap for the description, whose vectors are averaged.
    """

    encoder: Encoder
    scale: float
    prompts: tuple[str, ...] = (GAP,)
    _filled: dict[Query, npt.NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version, scale, prompts and the encoder's identity."""
        facts = {"scale": self.scale, "prompts": list(self.prompts)}
        return {"judge": "zero_shot", "version": 1, **facts, "encoder": dict(self.encoder.identity)}

    def answers(self, images: Sequence[Any], questions: Sequence[Sequence[Query]]) -> list[list[Answer]]:
        """Return the nearest of the choices of each question, with the probabilities of all.

        Args:
            images: Their vectors by the encoder, float32 (dim,).
            questions: Those about each of them.

        Raises:
            ConfigError: If a question has no gap, or no choices to fill it.
        """
        pairs = zip(images, questions, strict=True)
        return [[self._answer(vector, question) for question in some] for vector, some in pairs]

    def _answer(self, vector: npt.NDArray[np.float32], question: Query) -> Answer:
        return chosen(question, shares(self._descriptions(question), vector, self.scale))

    def _descriptions(self, question: Query) -> npt.NDArray[np.float64]:
        """Return the vectors of the descriptions, float64 (choices, dim); each question is embedded once."""
        if question not in self._filled:
            if GAP not in question.text or not question.choices:
                raise ConfigError(
                    f"judge 'zero_shot': {question.text!r} is no description with a gap {GAP} and choices for it; "
                    f"write it as 'a figure with an {GAP} hat', or ask another judge"
                )
            described = [question.text.replace(GAP, choice) for choice in question.choices]
            texts = [prompt.replace(GAP, said) for said in described for prompt in self.prompts]
            self._filled[question] = mean_directions(self.encoder.texts(texts), len(self.prompts))
        return self._filled[question]


def zero_shot(*, encoder: Encoder, scale: float = SCALE, prompts: list[str] | None = None) -> ZeroShot:
    """Return a judge that answers; loads no model yet.

    Args:
        encoder: With an image and a text tower.
        scale: What cosines are multiplied by, above 0: how sure a judge is of a small difference.
        prompts: Texts with a gap ``{}`` for the description, whose vectors are averaged; None is the description alone.

    Raises:
        ConfigError: If the scale is out of range, or a prompt has no gap, or there is none.
    """
    if not scale > 0.0:
        raise ConfigError(f"judge 'zero_shot': scale is above 0, not {scale}")
    wanted = (GAP,) if prompts is None else tuple(prompts)
    if not wanted or not all(GAP in prompt for prompt in wanted):
        raise ConfigError(f"judge 'zero_shot': prompts are one or more texts with a gap {GAP}, not {prompts}")
    return ZeroShot(encoder, scale, wanted)
