"""A run of a store as a tracker gets it: its numbers by their keys, and what each is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from diptych.addresses import Address
from diptych.config.identity import fingerprint
from diptych.errors import StoreError
from diptych.evaluate.chosen_run import chosen_run
from diptych.evaluate.comparisons.compared_images import value_text
from diptych.evaluate.loggers.keys import COUNT, HIGH, LOW, P_VALUE, NumberName, number_keys, shared_groups, without
from diptych.evaluate.terminal import TABLES
from diptych.lookup import describe_unknown
from diptych.store.rows import HOW_COMPARED, OTHER_SIDE, SIDE
from diptych.store.store import Store

MODEL, DATASET = "model", "dataset"
KINDS = ("results", "differences", "audits")
OF_ALL = (MODEL, DATASET, "setting")  # columns that are left out of the keys where all numbers have one value there

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LoggedNumber:
    """One number with what belongs to it.

    Attributes:
        key: What it is called in the tracker.
        kind: ``results``, ``differences`` (a - b) or ``audits`` (a share).
        metric: As the store has it; of a share the value that is counted.
        dataset: Label in the config.
        groups: Which images, in words.
        a: Of a difference, what is compared.
        b: What it is compared with.
        value: None where there is none; ``reason`` says why.
        ci_low: Of the 95 % interval.
        ci_high: Of the 95 % interval.
        n: Behind the number.
        n_unscored: Those of the group that are not; of a difference not told.
        p_adjusted: Of no difference, after Holm's adjustment.
        unit: Empty for a pure number.
        better: ``higher`` or ``lower``; None where neither way is.
        identity_id: Of everything that decides how it is computed; numbers of two identities are not comparable.
        reason: Why there is no value.
        note: What to know when reading it.
        caution: What it rests on less than it seems.
    """

    key: str
    kind: str
    metric: str
    dataset: str
    groups: str
    a: str | None
    b: str | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_unscored: int | None
    p_adjusted: float | None
    unit: str
    better: str | None
    identity_id: str
    reason: str | None
    note: str | None
    caution: str | None

    @property
    def scalars(self) -> dict[str, float]:
        """What a tracker draws: the value with its interval, n and p; of no value nothing, as NaN would be drawn."""
        if self.value is None:
            return {}
        known = {"": self.value, LOW: self.ci_low, HIGH: self.ci_high, COUNT: self.n, P_VALUE: self.p_adjusted}
        return {f"{self.key}{behind}": value for behind, value in known.items() if value is not None}


@dataclass(frozen=True)
class LoggedRun:
    """A run, or what it has of one model.

    Attributes:
        run_id: Of the run.
        name: Of the run.
        fingerprint: Of what was asked of which images.
        shared: In which groups all numbers are: no part of their keys.
        numbers: In the order of the store.
        identities: By id, those of the numbers.
        config: As the run was told.
        made_with: Versions and source revision.
    """

    run_id: str
    name: str
    fingerprint: str
    shared: Mapping[str, str]
    numbers: Sequence[LoggedNumber]
    identities: Mapping[str, Any]
    config: Mapping[str, Any]
    made_with: Mapping[str, Any]

    @property
    def scalars(self) -> dict[str, float]:
        """Every number that there is, and its interval, n and p, by key."""
        return {key: value for number in self.numbers for key, value in number.scalars.items()}

    @property
    def identity_of(self) -> dict[str, str]:
        """Key -> id of the identity: two runs whose ids differ are not comparable in that number."""
        return {number.key: number.identity_id for number in self.numbers}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The numbers as rows of a table, also those without a value."""
        return [asdict(number) for number in self.numbers]

    @property
    def facts(self) -> dict[str, Any]:
        """What the numbers are about and how they were made, as JSON-able values."""
        return {
            "run_id": self.run_id,
            "run": self.name,
            "fingerprint": self.fingerprint,
            **self.shared,
            "made_with": self.made_with,
            "config": self.config,
            "identity_of": self.identity_of,
            "identities": self.identities,
        }

    @cached_property
    def content(self) -> str:
        """sha256 (hex) of all of it: what is sent twice is told by that."""
        return fingerprint({"facts": self.facts, "rows": self.rows})


def logged_run(path: Address, run: str | None = None, model: str | None = None) -> LoggedRun:
    """Return a run of a store.

    Args:
        path: The store.
        run: Name or id; None takes the only one.
        model: Only its numbers, and the differences in which it takes part; None takes all.

    Raises:
        StoreError: If there is no such store, run or model, or it has no numbers.
    """
    with Store.open(path, read_only=True) as store:
        run_id, name = chosen_run(store, run)
        (facts,) = store.query("SELECT fingerprint, config, provenance FROM runs WHERE run_id = ?", [run_id])
        rows = [
            (kind, row)
            for kind in KINDS
            for row in store.query(f"SELECT * FROM {kind} WHERE run_id = ? ORDER BY {TABLES[kind]}", [run_id])
        ]
        if model is not None:
            alone = _alone(store, run_id, model)
            rows = [(kind, row) for kind, row in rows if _is_about(row, model, alone)]
        known = store.query("SELECT identity_id, identity FROM identities ORDER BY identity_id")
    if not rows:
        raise StoreError(f"{path}: the run {name} has no numbers; ask for some under means, distances or protocols")
    named = [_name(kind, row) for kind, row in rows]
    if model is not None:
        named = [without(each, {MODEL: model}) for each in named]
    shared, named = shared_groups(named, OF_ALL.__contains__)
    shared |= {} if model is None else {MODEL: model}
    numbers = [_number(key, kind, row) for key, (kind, row) in zip(number_keys(named), rows, strict=True)]
    used = {number.identity_id for number in numbers}
    identities = {row["identity_id"]: row["identity"] for row in known if row["identity_id"] in used}
    return LoggedRun(
        run_id, name, facts["fingerprint"], shared, numbers, identities, facts["config"], facts["provenance"]
    )


def _alone(store: Store, run_id: str, model: str) -> set[str]:
    """Return the datasets that have images of one model alone.

    Raises:
        StoreError: If no image of the run is of it.
    """
    sql = f"SELECT DISTINCT dataset, {store.image_sql(MODEL)} AS label FROM images WHERE run_id = ?"
    known: dict[str, set[str]] = {}
    for row in store.query(sql, [run_id]):
        known.setdefault(row["dataset"], set()).add(value_text(row["label"]))
    labels = {label for some in known.values() for label in some}
    if model not in labels:
        raise StoreError(f"{store.path}: --model: {describe_unknown('model', model, labels)}")
    return {dataset for dataset, some in known.items() if some == {model}}


def _is_about(row: Row, model: str, alone: set[str]) -> bool:
    if "a" in row:
        return model in (row["a"], row["b"])
    sides = [value_text(row["groups"][side]) for side in (SIDE, OTHER_SIDE) if side in row["groups"]]
    if sides or MODEL in row["groups"]:
        return model in (sides or [value_text(row["groups"][MODEL])])
    return row["dataset"] in alone


def _name(kind: str, row: Row) -> NumberName:
    groups = {column: value_text(value) for column, value in row["groups"].items() if column not in HOW_COMPARED}
    model = {MODEL: groups.pop(MODEL)} if MODEL in groups else {}
    between = {"difference": f"{row['a']} minus {row['b']}"} if kind == "differences" else {}
    groups = {DATASET: row["dataset"], **between, **model, **groups}
    metric = row["metric"] if kind != "audits" else f"share.{value_text(row['attribute']).replace('.', ' ')}"
    return NumberName(groups, metric, row["identity_id"])


def _number(key: str, kind: str, row: Row) -> LoggedNumber:
    is_share = kind == "audits"
    return LoggedNumber(
        key=key,
        kind=kind,
        metric=value_text(row["attribute"]) if is_share else row["metric"],
        dataset=row["dataset"],
        groups=", ".join(f"{column}: {value_text(value)}" for column, value in row["groups"].items()),
        a=row.get("a"),
        b=row.get("b"),
        value=row["share"] if is_share else row["value"],
        ci_low=row["ci_low"],
        ci_high=row["ci_high"],
        n=row["n"],
        n_unscored=row.get("n_unscored"),
        p_adjusted=row.get("p_adjusted"),
        unit="share of images" if is_share else row.get("unit") or "",
        better=row.get("better"),
        identity_id=row["identity_id"],
        reason=row["reason"],
        note=row.get("note"),
        caution=row["caution"],
    )
