"""What a benchmark's protocol is: whose prompts, what kind of judge, and by which rules its answers become a number.

A protocol is data. The rule for one image is a score of diptych with its options, so that everything that holds for
scores (stored once, run again without the model, intervals, pairs, the report) holds for protocols. ``official`` is
what upstream's scripts count, with what they have wrong; ``corrected`` is what they mean to count. The two never share
a name, and neither do two judges, nor two ways in which one judge adds up probabilities.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from diptych.asset_folders import ASSET_FOLDERS
from diptych.asset_table import joined_source
from diptych.evaluate.inputs.choices import MeanOver
from diptych.scores.question_rule import Reach, Unanswered

OFFICIAL, CORRECTED = "official", "corrected"
MEAN = "mean"  # the name of a rule where no script of upstream's counts otherwise

Ability = Literal["answers", "boxes", "embeddings", "ratings", "text"]  # of a judge, or of an encoder


def role_of(ability: Ability) -> Literal["encoder", "judge"]:
    """Return what gives something: an encoder gives embeddings, a judge all else."""
    return "encoder" if ability == "embeddings" else "judge"


@dataclass(frozen=True)
class QuestionPool:
    """A number over questions, whatever images they are about: of all together, and of each kind.

    A question's kinds are its tags, from broad to narrow: ``attribute`` and ``attribute - color``.

    Attributes:
        levels: How many tags deep kinds are told apart.
        is_whole: Whether all questions together are a number of the protocol.
        reach: How far a wrong answer reaches, see ``diptych.scores.question_rule``.
        unanswered: What a question without an answer is.
        last_only: Whether of the images of a prompt the last one alone counts, as published scorers have it by mistake.
        of_kinds: Whether a number over several kinds is the mean of theirs, each again of its own, and only that of the
            deepest kinds a share of questions.
    """

    levels: int = 1
    is_whole: bool = True
    reach: Reach = "none"
    unanswered: Unanswered = "left_out"
    last_only: bool = False
    of_kinds: bool = False


@dataclass(frozen=True)
class WeightedImages:
    """A mean over images of which each counts by a number of its own, such as the words that it should show.

    Attributes:
        column: Of the rule's score: what is averaged, in [0, 1].
        weight: Of the rule's score: how much an image counts.
    """

    column: str
    weight: str


@dataclass(frozen=True)
class TextErrors:
    """A number over how images render texts, all together, see ``text_errors``.

    Attributes:
        most_edits: Edits beyond which nothing is worse.
        capped: Whether these are the most of the mean over images, as upstream has it, or of each image.
    """

    most_edits: int
    capped: Literal["mean", "image"]


@dataclass(frozen=True)
class RulePart:
    """A further score of a rule: an image is the mean of the rule's own and of those that are about it.

    Attributes:
        ability: Of who judges it.
        score: Of diptych.
        column: Its column, which counts from 0 to 1 as its metric does from its lowest to its highest.
        options: Of the score.
        categories: Of the prompts that it is about; none are all.
        nothing_asked: What it counts where a prompt that it is about asks nothing of it; None leaves it out.
    """

    ability: Ability
    score: str
    column: str
    options: Mapping[str, Any] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    nothing_asked: float | None = None


@dataclass(frozen=True)
class ProtocolRule:
    """One way to count.

    Attributes:
        score: The score of diptych that is the rule for one image.
        column: Its column that is averaged over images; None where the protocol has no mean over images.
        says: What it counts, in one sentence for the user.
        options: Of the score.
        worst: Its column that is what the first would be if all without an answer were wrong; None where that is what
            it is, but for images without a number.
        pool: A number over something else than images; None where there is none.
        mean_over: Whether the mean is that of all images; of prompts, in each over the images of a model at a setting,
            as those of a grid; or of categories of prompts, in each over its images.
        category_parts: How much each category then counts, as upstream fixes it, whatever there is of each; their sum
            is 1. None where all count alike.
        with_category: Whether images of prompts without a category are left out.
        beside: Further scores by names of their own, where what is averaged over images is a mean of several.
        block: Of how many prompts that follow each other upstream takes means to tell their standard deviation beside
            a category; None where it does not.
    """

    score: str
    column: str | None
    says: str
    options: Mapping[str, Any] = field(default_factory=dict)
    worst: str | None = None
    pool: QuestionPool | WeightedImages | TextErrors | None = None
    mean_over: MeanOver = "images"
    category_parts: Mapping[str, float] = field(default_factory=dict)
    with_category: bool = False
    block: int | None = None
    beside: Mapping[str, RulePart] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedScore:
    """A number that others published.

    Attributes:
        model: Of the images.
        judge: Who judged, and by which rule where that is told.
        value: In the unit of the protocol's metric.
        source: Where it stands.
    """

    model: str
    judge: str
    value: float
    source: str


@dataclass(frozen=True)
class JudgeAgreement:
    """How often a judge says what people say, as others published it.

    Attributes:
        judge: Its name, as on the hub or as its maker calls it.
        value: In [0, 1].
        measure: Of what, such as ``balanced accuracy``.
        source: Where it stands.
    """

    judge: str
    value: float
    measure: str
    source: str


@dataclass(frozen=True)
class JudgingCost:
    """What judging takes, beside making the images.

    Attributes:
        calls: Of the judge for one image, on average; None where nobody tells how many questions there are.
        tokens: Of text for one image, questions and answers, on average; a judge that reads pictures as tokens reads
            those of the picture on top, with every call or once. None where it reads no text.
        images: Of one prompt, as upstream makes them.
        gib: GPU memory of the weights of upstream's judge, in GiB; None where nobody can have it, or nobody tells.
    """

    calls: float | None
    tokens: int | None
    images: int
    gib: float | None = None


@dataclass(frozen=True)
class Protocol:
    """One benchmark.

    Attributes:
        name: As a config says it.
        title: What it is, in one line.
        prompts: The kind of its set of prompts, see ``diptych.generate.prompts``.
        n_prompts: How many prompts it has.
        ability: What its judge has to be able to do; what gives embeddings is an encoder. Others may stand beside it.
        cost: What judging takes.
        source: The paper.
        rules: By their names, ``official`` first where upstream counts at all.
        summation: How upstream's judge adds up the probabilities of an answer's first tokens, where its numbers are
            such probabilities; empty where they are none, and judges do as they usually do.
        is_own: Whether the prompts are diptych's own, and no benchmark's.
        assets: The files of its prompts, see ``diptych.asset_table``; none where a user's own are meant.
        folder: The files of its prompts where they are a folder that the user fetches, see ``diptych.asset_folders``.
        defects: What upstream's scripts have wrong, and what is done about it.
        published: Numbers to hold one's own against; of the same judge and rule only.
        agreements: Of judges with people, on answers to this protocol's questions.
    """

    name: str
    title: str
    prompts: str
    n_prompts: int
    ability: Ability
    cost: JudgingCost
    source: str
    rules: Mapping[str, ProtocolRule]
    assets: tuple[str, ...] = ()
    folder: str = ""
    defects: tuple[str, ...] = ()
    published: tuple[PublishedScore, ...] = ()
    agreements: tuple[JudgeAgreement, ...] = ()
    summation: str = ""
    is_own: bool = False

    @property
    def besides(self) -> tuple[Ability, ...]:
        """What further judges and encoders have to be able to do, in the order in which a number's name has them."""
        return tuple(dict.fromkeys(part.ability for rule in self.rules.values() for part in rule.beside.values()))

    @property
    def has_source(self) -> bool:
        """Whether upstream's prompts are known by their bytes."""
        return bool(self.folder or self.assets)

    def is_upstream(self, source: str) -> bool:
        """Return whether prompts from a place are upstream's, by the source that their set tells, see ``PromptSet``."""
        if self.folder:
            return source == ASSET_FOLDERS[self.folder].url
        return not self.assets or source == joined_source(self.assets)
