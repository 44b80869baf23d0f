"""What the numbers of two judges that are held against each other are called in the store, and how they are found.

They stand under the label of both: ``results`` has the numbers of groups, ``scores`` what is so of each image. Loads
where only the base install is.
"""

from diptych.data.column_names import full_name

KAPPA, AGREEMENT, BALANCED = "kappa", "agreement", "balanced_accuracy"
RANK_CHANGE, RANK_CORRELATION = "rank_change", "rank_correlation"
SPLITS, FIRST_SPLIT = "splits", "first_split"  # of an image: on how many things they split, what both say of the first
BOTH = "agreement"  # in the identity of such a number: what both are; it is about no model
IN_TWO = " / "  # between what both say of one thing


def joint_label(a: str, b: str) -> str:
    """Return what the numbers of two columns of scores stand under: the labels of both, and their columns if need be.

    >>> joint_label("detr.object_correct", "people.rating"), joint_label("answers.one", "answers.two")
    ('detr_and_people', 'answers_one_and_two')
    """
    (first, _, own), (second, _, other) = a.rpartition("."), b.rpartition(".")
    return f"{first}_and_{second}" if first != second else f"{first}_{own}_and_{other}"


def joint_name(a: str, b: str, what: str) -> str:
    """Return the full name of a number or a column of two columns of scores."""
    return full_name(joint_label(a, b), what)
