"""One table says what a column of a generated image is: on disk, in a comparison and in a report."""

from diptych.data.generated_columns import (
    GENERATED_COLUMNS,
    columns_of,
    compared_columns,
    equal_in_pairs,
    generated_schema,
    shown_as,
)
from diptych.reports.read.columns import details, filters, grid_axes, row_columns


def test_the_schema_has_the_columns_of_the_table_in_its_order() -> None:
    schema = generated_schema()
    own = [(field.name, str(field.type)) for field in schema][-len(GENERATED_COLUMNS) :]
    dtypes = {"float32": "float", "strings": "list<item: string>"}
    assert own == [(column.name, dtypes.get(column.dtype, column.dtype)) for column in GENERATED_COLUMNS]


def test_models_are_compared_at_equal_settings_and_an_axis_where_all_else_is_equal() -> None:
    assert compared_columns() == ("model", "setting", "sampler", "steps", "guidance", "negative_prompt")
    assert (equal_in_pairs("model"), equal_in_pairs("setting")) == (("setting",), ("model",))
    assert equal_in_pairs("guidance") == ("model", "sampler", "steps", "negative_prompt", "width", "height")
    assert (columns_of("prompt"), columns_of("sample")) == (("benchmark", "prompt_id"), ("sample",))


def test_a_report_has_each_column_once_as_a_filter_a_link_or_a_detail() -> None:
    every = [*shown_as("filter"), *shown_as("link"), *shown_as("detail")]
    assert sorted(every) == sorted(column.name for column in GENERATED_COLUMNS)
    assert {*filters(), *details()} == {*row_columns(), "dataset"} - {"caption"}
    assert grid_axes() == ("model", "sampler", "steps", "guidance")
