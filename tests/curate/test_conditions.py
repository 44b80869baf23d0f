"""What is said of SQL that cannot be: the name that was probably meant, in the words of the user's own condition."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from drawn import draw_dataset

from diptych.cli import main


def call(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["--progress", "none", *map(str, arguments)])
    return result.stderr if result.exit_code == 1 else f"exit code {result.exit_code}"


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("conditions") / "set"
    draw_dataset(path)
    assert call("score", path, "stats=caption_stats") == "exit code 0"
    return path


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("widht > 3", "unknown column 'widht'; did you mean 'width' or"),
        ("caption_wrods > 2", "unknown column 'caption_wrods'; did you mean 'stats.caption_words' or"),
        ("stats.caption_wrods > 2", "unknown column 'caption_wrods'; did you mean 'stats.caption_words' or"),
        ("stat.caption_words > 2", "unknown label 'stat'; did you mean 'stats'? Known: stats\n"),
        ("lenght(caption) > 2", "there is no function lenght(); did you mean length()?\n"),
        ("zzzzzz(caption) > 2", "there is no function zzzzzz()\n"),
        ("random() > 0.5", "random() is not allowed; a rule looks at one row"),
        ('status = "ok"', "; a text is written in single quotes: 'ok'\n"),
        ("caption > 3", ": Cannot compare values of type VARCHAR"),
        ("width > 'wide'", ": Could not convert string 'wide' to INT32"),
        ("width >", "its end is missing, or its brackets do not match\n"),
        ("width > 3)", "its end is missing, or its brackets do not match\n"),
        ("caption = '\udcff'", "has '\\udcff', which is no character; write it in UTF-8, under a locale of UTF-8\n"),
        ("width >> > 3", "syntax error at or near"),
        ("width => 640", "there is no operator =>; write >=\n"),
        ("width =< 640", "there is no operator =<; write <=\n"),
        ("!(width > 3)", "there is no operator !; write NOT\n"),
        ("width ≥ 640", "; for ≥ write >=\n"),
        ("width > 3 && height > 3", "; for && write AND\n"),
        ("width > 3 || height > 3", "; for || write OR\n"),
        ("(width > 3) && (height > 3)", "; for && write AND\n"),
        ("(width > 3) || (height > 3)", "neither true nor false; for || write OR\n"),
        ("length(caption || '!') => 3", "there is no operator =>; write >=\n"),
    ],
)
def test_a_condition_that_cannot_be_is_one_line_that_says_what_was_meant(where: str, said: str, pool: Path) -> None:
    told = call("curate", "select", pool, "--where", where)
    assert told.startswith(f"Error: rule 'rule_1': {where!r}")
    assert said in told
    assert len(told.splitlines()) == 1
    assert not any(word in told for word in ("Binder", "Catalog", "Parser", "Conversion Error", "LINE"))


def test_the_operator_of_c_for_equality_is_one_of_sql(pool: Path) -> None:
    assert call("curate", "select", pool, "--where", "width == 3") == "exit code 0"


@pytest.mark.parametrize(
    "where",
    [
        "height / NULLIF(width, 0) > 1",
        "coalesce(nullif(caption, ''), 'none') <> 'none'",
        "split_part(url, '/', 3) = 'a.example' OR width > 0",
        "fdiv(width, 2) > 1 AND days_in_month(DATE '2024-02-01') = 29",
        "array_to_string(['a', caption], ' ') <> 'a'",
        "if(width > height, width, height) > 1",
    ],
)
def test_what_looks_at_one_row_is_a_condition_however_duckdb_makes_it(where: str, pool: Path) -> None:
    assert call("curate", "select", pool, "--where", where) == "exit code 0"


@pytest.mark.parametrize("name", ["geomean(width)", "json_group_array(width)", "wavg(width, height)"])
def test_a_mean_by_another_name_looks_at_all_rows(name: str, pool: Path) -> None:
    assert f"{name.partition('(')[0]}() is not allowed; a rule" in call(
        "curate", "select", pool, "--where", f"{name} > 1"
    )
