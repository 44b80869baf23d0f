"""The view of images, and what the comments say of everything: made anew whenever a run came or went."""

from collections.abc import Mapping

from diptych.store.comments import column_comment, columns_told, comment_statements
from diptych.store.connection import StoreFile
from diptych.store.image_rows import ImageRow
from diptych.store.image_view import NAME, StoredScore, view_columns, view_sql

SCORES = """
SELECT DISTINCT score, identity_id, coalesce(first(description) OVER same, ''), EXISTS (
    FROM scores WHERE scores.score = score_columns.score AND scores.text IS NOT NULL
) FROM score_columns WINDOW same AS (PARTITION BY score, identity_id ORDER BY run_id) ORDER BY score, identity_id
"""


def renew_view(file: StoreFile, further_columns: Mapping[str, str]) -> None:
    """Make the view of images with the scores that there are, and say of everything what it is.

    Args:
        file: The store.
        further_columns: Name -> type in SQL of the columns that images have in ``more``.

    Raises:
        StoreError: If DuckDB refuses.
    """
    scores = [StoredScore(*row) for row in file.fetch(SCORES)[1]]
    columns = view_columns(further_columns, scores, columns_told(ImageRow))
    file.execute(view_sql(columns, scores))
    for statement in comment_statements():
        file.execute(statement)
    for column in columns:
        file.execute(column_comment(NAME, column.name, column.comment))
