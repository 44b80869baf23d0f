import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from diptych.config.identity import fingerprint, short_id
from diptych.config.load import load, read_job
from diptych.config.options import call_with_options
from diptych.config.places import ProblemAt
from diptych.config.settings import Settings
from diptych.errors import ConfigError
from diptych.evaluate.config import EvaluateConfig


class Folder(Settings):
    kind: Literal["folder"]
    path: Path


class Table(Settings):
    kind: Literal["table"]
    url_column: str = "url"
    limit: int | None = None


class Rule(Settings):
    name: str
    threshold: float = 0.5


class Job(Settings):
    job: Literal["try"] = "try"
    source: Annotated[Folder | Table, Field(discriminator="kind")] | None = None
    batch_size: int = 64
    rules: tuple[Rule, ...] = ()
    heads: dict[str, Rule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_differ(self) -> "Job":
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError("a rule name is used twice")
        for label, rule in self.heads.items():
            if rule.threshold > 1:
                raise ProblemAt(("heads", label, "threshold"), "at most 1")
            if rule.name == "none":
                raise ProblemAt(("heads", label, "threshold"), "needed here")
        return self


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(tmp_path: Path, text: str, *overrides: str) -> str:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path, Job, overrides)
    return str(caught.value).replace(str(path), "FILE")


def test_a_config_becomes_a_frozen_model(tmp_path: Path) -> None:
    job = load(write(tmp_path, "batch_size: 8\nsource: {kind: folder, path: pictures}\n"), Job)
    assert job == Job(batch_size=8, source=Folder(kind="folder", path=Path("pictures")))
    with pytest.raises(ValueError, match="frozen"):
        job.batch_size = 9  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n", "\ufeff"])
def test_an_empty_file_gives_the_defaults(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, text), Job) == Job()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch_sise: 8\n", "FILE:1:1: unknown key 'batch_sise'; did you mean 'batch_size'?"),
        ("zzz: 8\n", "FILE:1:1: unknown key 'zzz'"),
        ("url_column: u\n", "FILE:1:1: unknown key 'url_column'; did you mean 'source.url_column'?"),
        (
            "heads: {threshold: {name: no}}\n",
            "FILE:1:21: heads.threshold.name: has to be a text, got False; without quotes yes, no, on "
            "and off are true and false in YAML: put it in quotes",
        ),
        (
            "batch_size: 8\nrules:\n  - name: a\n  - {name: b, treshold: 1}\n",
            "FILE:4:15: unknown key 'rules.1.treshold'; did you mean 'threshold'?",
        ),
        (
            "heads:\n  own:\n    name: a\n    thresold: 1\n",
            "FILE:4:5: unknown key 'heads.own.thresold'; did you mean 'threshold'?",
        ),
        (
            "source:\n  kind: table\n  url_colum: u\n",
            "FILE:3:3: unknown key 'source.url_colum'; did you mean 'url_column'?",
        ),
        (
            "source:\n  kind: folder\n  path: a\n  limit: 3\n",
            "FILE:4:3: unknown key 'source.limit' with kind: folder; it goes with kind: table",
        ),
        (
            "source:\n  kind: table\n  batch_size: 3\n",
            "FILE:3:3: unknown key 'source.batch_size'; did you mean 'batch_size'?",
        ),
        ("batch_size: 8\n\n~: 2\n", "FILE:3:1: the key '~' is no text to YAML; put it in quotes"),
        ("heads: {on: {name: a}}\n", "FILE:1:9: the key 'on' is no text to YAML; put it in quotes"),
        ("source:\n  kind: folder\n", "FILE:1:1: the key 'source.path' is missing"),
        (
            "source:\n  kind: table\n  limit: many\n",
            "FILE:3:3: source.limit: has to be a whole number, got 'many'",
        ),
        (
            "rules: [{name: a}, 7]\n",
            "FILE:1:20: rules.1: has to be a mapping {name, ...}, got 7",
        ),
        ("batch_size: .nan\n", "FILE:1:1: batch_size: has to be a finite number, got nan"),
        (
            "rules: [{name: a, threshold: .inf}]",
            "FILE:1:19: rules.0.threshold: has to be a finite number, got inf",
        ),
        ("rules: [{name: a}, {name: a}]\n", "FILE:1:1: a rule name is used twice"),
        ("batch_size: 1\nheads:\n  own: {name: a, threshold: 2}\n", "FILE:3:18: heads.own.threshold: at most 1"),
        ("batch_size: 1\nheads:\n  own: {name: none}\n", "FILE:3:3: heads.own.threshold: needed here"),
    ],
)
def test_a_wrong_value_is_shown_with_file_line_column_and_key(tmp_path: Path, text: str, message: str) -> None:
    assert complaint(tmp_path, text) == message


def test_a_wrong_member_of_a_union_names_the_right_ones(tmp_path: Path) -> None:
    message = complaint(tmp_path, "batch_size: 8\nsource:\n  kind: tabel\n")
    assert message == "FILE:3:3: source.kind: unknown kind 'tabel'; did you mean 'table'? Known: folder, table"
    assert (
        complaint(tmp_path, "source: {kind: 5}\n") == "FILE:1:10: source.kind: unknown kind '5'. Known: folder, table"
    )
    assert complaint(tmp_path, "source: {path: a}\n") == "FILE:1:1: the key 'source.kind' is missing"
    assert complaint(tmp_path, "source: folder\n").startswith("FILE:1:1: source: ")


def test_all_problems_are_told_one_per_line(tmp_path: Path) -> None:
    lines = complaint(tmp_path, "batch_size: x\nrules:\n- {}\nextra: 1\n").splitlines()
    assert [line.split(": ")[0] for line in lines] == ["FILE:1:1", "FILE:3:3", "FILE:4:1"]


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    assert len(complaint(tmp_path, f"source: {{kind: {'x' * 5000}}}\n")) < 200
    message = complaint(tmp_path, f"batch_size: [{'1, ' * 500}]\n")
    assert message.endswith("...")
    assert len(message) < 200


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a: [1, 2\nb: 3\n", "FILE:2:2", "expected ',' or ']'"),
        ("a: b: c\n", "FILE:1:5", "a colon where none can be"),
        ("a:\n\t- 1\n", "FILE:2:1", "a tab stands there; indent with blanks"),
        ("a: !!python/object:os.system {}\n", "FILE:1:4", "os.system is no sort of value that a config has"),
        ("? [1]\n: 2\n", "FILE:1:3", "unhashable"),
        ("a: !!set {b, c}\n", "FILE:1:4", "!!set is no sort of value that a config has"),
        ("a: !!binary aGk=\n", "FILE:1:4", "!!binary is no sort of value that a config has"),
        ("a: !!bool abc\n", "FILE:1:4", "'abc' is no bool"),
        ("a: [1, !!timestamp 2024-01-01]\n", "FILE:1:8", "!!timestamp is no sort of value that a config has"),
        ("a: !!int ''\n", "FILE:1:4", "'' is no int"),
        ("a: 0x_\n", "FILE:1:4", "'0x_' is no int"),
        ("!!float abc: 1\n", "FILE:1:1", "'abc' is no float"),
        (f"a: 0x{'f' * 17}\n", "FILE:1:4", "a number of more than 64 bits"),
        (f"a: {'9' * 5000}\n", "FILE:1:4", "a number of more than 64 bits"),
        ("a: 1\nb: \x00\n", "FILE:2:4", "the character U+0000, which no text can have, stands in it"),
        ("a: \x1b[1m\n", "FILE:1:4", "the character U+001B, which no text can have, stands in it"),
        ("a: 1\n---\nb: 2\n", "FILE:2:1", "but found another document"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "FILE:4:3", "the key 'c' stands in line 3 already"),
    ],
)
def test_what_is_not_yaml_is_told_in_one_line_with_its_place(
    tmp_path: Path, text: str, place: str, problem: str
) -> None:
    message = complaint(tmp_path, text)
    assert message.startswith(f"{place}: ")
    assert problem in message
    assert "\n" not in message


def test_aliases_that_stand_for_more_than_fits_are_counted_before_they_are_made(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    expected = "not valid YAML: its aliases stand for more than 200,000 values"
    assert complaint(tmp_path, "\n".join(lines)).split(": ", 1)[1] == expected
    assert complaint(tmp_path, "batch_size: 8\n", "heads={" + ", ".join(lines) + "}").endswith(expected.split(": ")[1])


@pytest.mark.parametrize("text", ["name: " + "[" * 5000 + "]" * 5000, "name: " + "{a: " * 900 + "1" + "}" * 900])
def test_a_config_is_nested_as_deep_as_people_write(text: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text).endswith("not valid YAML: nested more than 50 levels deep")


def test_an_override_leads_as_deep_as_people_write(tmp_path: Path) -> None:
    said = complaint(tmp_path, "batch_size: 8\n", "heads." * 3000 + "a=1")
    assert said.endswith("the key is nested more than 50 levels deep")
    assert len(said) < 200


@pytest.mark.parametrize(("text", "letter"), [('name: "\\ud800"', "U+D800"), ('name: "a\\0"', "U+0000")])
def test_a_character_that_no_text_can_have_is_named_with_its_place(text: str, letter: str, tmp_path: Path) -> None:
    expected = f"FILE:1:7: not valid YAML: the character {letter}, which no text can have, stands in it"
    assert complaint(tmp_path, text) == expected


def test_what_looks_like_a_date_is_a_text_as_it_is_to_editors(tmp_path: Path) -> None:
    rules = load(write(tmp_path, "rules: [{name: 2024-01-01}, {name: 2024-02-30 12:00:00}]\n"), Job).rules
    assert [rule.name for rule in rules] == ["2024-01-01", "2024-02-30 12:00:00"]


def test_yaml_that_refers_to_itself_ends(tmp_path: Path) -> None:
    for text, place in (("batch_size: &a [*a]\n", "1:17"), ("&a {b: *a}\n", "1:8"), ("a: &a {<<: *a}\n", "1:12")):
        assert complaint(tmp_path, text) == f"FILE:{place}: not valid YAML: an alias stands in what it stands for"


@pytest.mark.parametrize("text", ["- 1\n", "text\n", "3\n"])
def test_a_config_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "a config is a mapping" in complaint(tmp_path, text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent.yaml: no such file"):
        load(tmp_path / "absent.yaml", Job)
    with pytest.raises(ConfigError, match="a folder, not a config; give the YAML file"):
        load(tmp_path, Job)
    (tmp_path / "latin.yaml").write_bytes("name: caf\xe9".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin.yaml: cannot be read as UTF-8"):
        load(tmp_path / "latin.yaml", Job)


def test_overrides_apply_in_order_and_make_what_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, "batch_size: 8\nheads: {own: {name: a, threshold: 0.1}}\n")
    overrides = ["batch_size=1", "batch_size=2", "heads.own.threshold=0.9", "heads.new.name=b", "source.kind=table"]
    job = load(path, Job, overrides)
    assert (job.batch_size, job.heads["own"], job.heads["new"]) == (
        2,
        Rule(name="a", threshold=0.9),
        Rule(name="b"),
    )
    assert job.source == Table(kind="table")


def test_an_override_is_yaml_and_may_hold_equals_signs(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    job = load(path, Job, ["rules=[{name: a=b}]", "source={kind: table, limit: null}"])
    assert (job.rules, job.source) == ((Rule(name="a=b"),), Table(kind="table"))


def test_an_override_changes_only_the_place_it_names_though_an_alias_shares_it(tmp_path: Path) -> None:
    path = write(tmp_path, "heads:\n  one: &base {name: a}\n  two: *base\n")
    heads = load(path, Job, ["heads.one.threshold=0.7"]).heads
    assert (heads["one"].threshold, heads["two"].threshold) == (0.7, 0.5)


@pytest.mark.parametrize("override", ["batch_size", "=1", "", "heads.=1", ".a=1", "heads..own=1", "."])
def test_an_override_of_the_wrong_form_is_refused(tmp_path: Path, override: str) -> None:
    assert complaint(tmp_path, "", override) == f"--set {override!r}: write it as key.subkey=value"


def test_an_override_that_cannot_be_applied_is_refused(tmp_path: Path) -> None:
    text = "batch_size: 8\nheads: {own: {name: a}}\n"
    assert "'batch_size' is not a mapping" in complaint(tmp_path, text, "batch_size.x=1")
    assert "'heads.own.name' is not a mapping" in complaint(tmp_path, text, "heads.own.name.x.y=1")
    assert complaint(tmp_path, text, "batch_size=[1") == (
        "--set 'batch_size=[1': the value is not valid YAML: expected ',' or ']', but got '<stream end>'"
    )
    assert complaint(tmp_path, text, "batch_size=!!bool abc").endswith("YAML: 'abc' is no bool")


def test_a_problem_that_an_override_made_names_the_override_not_the_file(tmp_path: Path) -> None:
    text = "batch_size: 8\nheads: {own: {name: a}}\n"
    assert complaint(tmp_path, text, "batch_size=x").startswith("--set 'batch_size=x': batch_size: ")
    assert complaint(tmp_path, text, "heads.own.thresold=1") == (
        "--set 'heads.own.thresold=1': unknown key 'heads.own.thresold'; did you mean 'threshold'?"
    )
    assert complaint(tmp_path, "batch_size: x\n", "heads={}").startswith("FILE:1:1: batch_size: ")
    rules = "rules: [{name: a}]\n"
    assert complaint(tmp_path, rules, "rules.00.name=true").startswith("--set 'rules.00.name=true': rules.0.name: ")


def test_the_job_of_a_file_is_read_without_its_model(tmp_path: Path) -> None:
    assert read_job(write(tmp_path, "job: curate\nanything: 1\n")) == "curate"
    for text in ["", "- 1\n", "job: 3\n", "job: {}\n", "name: x\n"]:
        with pytest.raises(ConfigError, match="the top-level key 'job' is missing"):
            read_job(write(tmp_path, text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_a_fingerprint_does_not_depend_on_the_order_of_keys_at_any_depth(value: Any) -> None:
    assert fingerprint(value) == fingerprint(reversed_keys(value)) == fingerprint(json.loads(json.dumps(value)))


def test_a_fingerprint_depends_on_values_types_and_the_order_of_lists() -> None:
    values: list[Any] = [1, 1.5, "1", True, None, [1], [1, 2], [2, 1], {"a": 1}, {"a": 2}, {"b": 1}, "\ud800", "é"]
    assert len({fingerprint(value) for value in values}) == len(values)


def test_the_fingerprint_of_a_model_is_that_of_its_values() -> None:
    assert fingerprint(Rule(name="a")) == fingerprint({"threshold": 0.5, "name": "a"})


def test_a_short_id_is_the_head_of_the_fingerprint() -> None:
    assert short_id({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})[:8]


def make(
    *, size: int, name: Literal["x", "y"] = "x", weights: str | None = None, share: float = 0.0
) -> tuple[Any, ...]:
    return size, name, weights, share


def test_options_reach_the_factory() -> None:
    assert call_with_options(make, {"size": 3, "weights": None}, where="here") == (3, "x", None, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 3, "sice": 4}, "unknown option 'sice'; did you mean 'size'? Known: name, share, size, weights"),
        ({}, "the option 'size' is missing"),
        ({"size": "three"}, "option 'size': has to be a whole number"),
        ({"size": None}, "option 'size': has to be a whole number"),
        ({"size": 2.5}, "got 2.5"),
        ({"size": 3, "name": "z"}, "option 'name': has to be 'x' or 'y', got 'z'"),
        ({"size": 3, "weights": 7}, "option 'weights': has to be a text, got 7"),
        ({"size": 3, "share": float("nan")}, "option 'share': has to be a finite number"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call_with_options(make, options, where="score 'own'")
    assert str(caught.value).startswith("score 'own': ")
    assert message in str(caught.value)


def test_every_kind_of_value_that_yaml_knows_is_checked(tmp_path: Path) -> None:
    import yaml

    for text in ["text", "null", "1.5", "true", "[1]", "{a: 1}"]:
        with pytest.raises(ConfigError, match="option 'size'"):
            call_with_options(make, {"size": yaml.safe_load(text)}, where="here")


def test_an_object_of_the_program_passes_and_text_in_its_place_does_not() -> None:
    from diptych.encoders import make_encoder
    from diptych.scores import make_score

    encoder = make_encoder("projection", {})
    assert make_score("clip_similarity", {"encoder": encoder}).encoder is encoder
    with pytest.raises(ConfigError, match=r"option 'encoder': .*got 'projection'"):
        make_score("clip_similarity", {"encoder": "projection"})


@pytest.mark.parametrize("text", ["my run #2/x", "#2", "[1, # no\n 2]"])
def test_an_override_that_yaml_would_cut_is_refused(text: str, tmp_path: Path) -> None:
    line = complaint(tmp_path, "", f"source.kind={text}")
    assert "as a comment; quote the value" in line


def test_true_is_no_number_in_a_config_or_an_option(tmp_path: Path) -> None:
    assert "a number is needed" in complaint(tmp_path, "batch_size: true")

    def factory(*, dim: int = 3, flag: bool = False) -> tuple[int, bool]:
        return dim, flag

    assert call_with_options(factory, {"flag": True}, where="here") == (3, True)
    with pytest.raises(ConfigError, match="option 'dim': a number is needed"):
        call_with_options(factory, {"dim": True}, where="here")


def test_a_config_of_another_job_is_one_line_with_the_command_that_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("job: curate\nsource: {kind: folder, path: a}\nselect: []\n")
    with pytest.raises(ConfigError) as refused:
        load(path, EvaluateConfig)
    assert str(refused.value) == f"{path}: a config of the job curate, not evaluate; it is for: diptych curate run"
