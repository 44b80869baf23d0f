"""GenEval 2: how likely a judge finds the right answers about each atom of a prompt (Kamath et al. 2025, 2512.16853).

Soft-TIFA: a prompt is the geometric mean of the probabilities of its right answers, the whole the mean over prompts, by
their number of atoms; skills are means over questions. Source: ``evaluation.py`` and ``soft_tifa_analysis.py`` of
facebookresearch/GenEval2 at a6e82d2.
"""

from diptych.evaluate.protocols.contract import OFFICIAL, JudgingCost, Protocol, ProtocolRule, QuestionPool

GENEVAL2 = Protocol(
    name="geneval2",
    title="GenEval 2: the probability of right answers about each atom of a prompt",
    prompts="geneval2",
    n_prompts=800,
    ability="answers",
    cost=JudgingCost(calls=7.5, tokens=110, images=1, gib=16.3),
    source="Kamath et al. 2025, arXiv:2512.16853",
    rules={
        OFFICIAL: ProtocolRule(
            "soft_accuracy",
            "soft_accuracy_of_all",
            "geometric mean of the probabilities of a prompt's right answers (Soft-TIFA GM), mean over images, by "
            "number of atoms; by skill their mean over questions",
            pool=QuestionPool(is_whole=False),
        ),
        "atoms": ProtocolRule(
            "soft_accuracy",
            "soft_accuracy",
            "arithmetic mean of the same (Soft-TIFA AM), mean over images",
        ),
    },
    assets=("geneval2-data",),
    summation="official",
    defects=(
        "Upstream adds up a probability for each way of writing an answer, so that a token may count twice, and takes "
        "it however little all answers have together. So does a judge with the option summation: official; the usual "
        "one, distinct, does neither, and its number has another name, geneval2_official_JUDGE_distinct.",
        "With a tokenizer that writes two of these ways alike, as one without capitals does, upstream's sum may be "
        "above 1. Here it is then 1, and Soft-TIFA lower than upstream's.",
        "One answer that is thought impossible makes the geometric mean 0.",
        "The file is CC BY-NC 4.0 and comes by path only.",
    ),
)
