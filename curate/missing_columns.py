"""What is said of a column that is not there where something would make it: a score begun, or one to compute."""

from diptych.data.dataset import Dataset
from diptych.data.unfinished import unfinished_score
from diptych.scores import takes
from diptych.scores.giving import score_of_column
from diptych.scores.named import example_command


def what_lacks(dataset: Dataset, name: str) -> str:
    """Return what would make a column or label that a dataset lacks, with the command; empty where nothing would.

    Args:
        dataset: That lacks it.
        name: Of the column or label.
    """
    if said := unfinished_score(dataset, name):
        return said
    score = score_of_column(name)
    if not score:
        return ""
    if takes(score, "judge"):
        return f"the score {score} would have it, with a judge; see: diptych score --help"
    return f"the score {score} would have it; compute it: diptych score {dataset.location} {example_command(score)}"


def what_config_lacks(name: str) -> str:
    """Return where a config would ask for the score of a column that it names; empty where none has such a column."""
    score = score_of_column(name)
    return f"the score {score} would have it; name that under scores" if score else ""
