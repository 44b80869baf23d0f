"""A store about drawn pictures written by hand, with names that no evaluation would let through.

Scores are made up; means, differences and shares follow from them by the plainest formulas.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from report_world import AUDIT, Names, made_up, read_rows

from diptych.data.dataset import Dataset
from diptych.store.store import (
    AuditRow,
    DatasetRow,
    DifferenceRow,
    ImageRow,
    ResultRow,
    Run,
    ScoreColumn,
    ScoreRow,
    Store,
)

RUN = "0123456789abcdef"
ACCURACY = "objects.object_accuracy"
IDENTITIES = {
    "clip_score": {
        "metric": "clip_score",
        "convention": "100 x max(cosine, 0)",
        "column": "clip_similarity",
        "score": {"encoder": {"architecture": "tiny"}},
    },
    "object_accuracy": {"metric": "object_accuracy", "version": 1, "column": "object_correct"},
    "frechet_distance": {"metric": "frechet_distance", "version": 1, "estimator": "plain"},
    "audit": {"audit": "share", "interval": "wilson"},
}


def make_store(path: Path, dataset: Dataset, names: Names) -> Path:
    """Write a store about a generated dataset by hand: with names that no evaluation would let through."""
    rows = list(read_rows(dataset))
    clip, correct, hats = made_up(rows, names)
    values = {names.score: clip, "objects.object_correct": correct}
    path.parent.mkdir(parents=True, exist_ok=True)
    run = Run(
        RUN,
        names.run,
        "f" * 64,
        {"job": "evaluate", "audit": AUDIT},
        {"diptych": "0.0.1"},
    )
    with Store.open(path) as store, store.replace_run(run):
        ids = {name: store.insert_identity(identity) for name, identity in IDENTITIES.items()}
        store.insert_datasets(
            [DatasetRow(RUN, names.dataset, "generated", str(dataset.path), "drawn", dataset.fingerprint, len(rows))]
        )
        store.insert_images([ImageRow(RUN, names.dataset, **row) for row in rows])
        store.insert_score_columns(
            [
                ScoreColumn(RUN, names.score, names.description, "", -1, 1, "higher", "higher", ids["clip_score"]),
                ScoreColumn(
                    RUN,
                    "objects.object_correct",
                    "Whether it shows what was asked for",
                    "",
                    0,
                    1,
                    "higher",
                    "higher",
                    ids["object_accuracy"],
                ),
                ScoreColumn(
                    RUN, "hats.attribute", "Colour of the hat that is seen", "", None, None, None, None, ids["audit"]
                ),
                ScoreColumn(RUN, "hats.attribute_class", "Whose hat it is", "", None, None, None, None, ids["audit"]),
            ]
        )
        store.insert_scores(list(_scores(names, rows, values, hats)))
        store.insert_results(list(_results(names, rows, clip, correct, ids)))
        store.insert_differences(list(_differences(names, rows, clip, correct, ids)))
        store.insert_audits(list(_audits(names, rows, hats, ids)))
    return path


def _scores(
    names: Names, rows: Sequence[Mapping[str, Any]], values: Mapping[str, Any], hats: Sequence[str | None]
) -> Iterator[ScoreRow]:
    for number, row in enumerate(rows):
        for score, column in values.items():
            missing = score == names.score and number % 41 == 40
            value = None if missing else float(column[number])
            yield ScoreRow(RUN, names.dataset, row["key"], score, value, None, "no_caption" if missing else None)
        hat = hats[number]
        seen = (("hats.attribute", hat), ("hats.attribute_class", row["caption"] if hat else None))
        for score, text in seen:
            yield ScoreRow(RUN, names.dataset, row["key"], score, None, text, None if text else "none_detected")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _results(
    names: Names, rows: Sequence[Mapping[str, Any]], clip: Any, correct: Any, ids: Mapping[str, str]
) -> Iterator[ResultRow]:
    for keys in (["model"], ["model", "setting"], ["model", "category"]):
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, row in enumerate(rows):
            groups.setdefault(tuple(_first(row[key]) for key in keys), []).append(number)
        for group, numbers in groups.items():
            said = dict(zip(keys, group, strict=True))
            for metric, values, unit in (
                (names.metric, 100 * clip, ""),
                (ACCURACY, correct, "share of images"),
            ):
                scored = [n for n in numbers if not (metric == names.metric and n % 41 == 40)]
                mean, half = _mean(values[scored])
                identity = ids["clip_score" if metric == names.metric else "object_accuracy"]
                yield ResultRow(
                    RUN, metric, names.dataset, said, mean, half / 1.96, mean - half, mean + half, len(scored),
                    len(numbers) - len(scored), unit, "higher", identity,
                    place=int(metric == names.metric),
                )  # fmt: skip
            if keys == ["model"]:
                distance = 41.7 - 12.3 * (group[0] == names.models[-1])
                yield ResultRow(
                    RUN, "frechet_distance", names.dataset, said, distance, 1.1, distance - 2.2, distance + 2.2,
                    len(numbers), 0, "", "lower", ids["frechet_distance"], None, "n below d: from the Gram matrix",
                    "corrected", 2,
                )  # fmt: skip


def _differences(
    names: Names, rows: Sequence[Mapping[str, Any]], clip: Any, correct: Any, ids: Mapping[str, str]
) -> Iterator[DifferenceRow]:
    places = {(row["model"], row["setting"], row["prompt_id"]): number for number, row in enumerate(rows)}
    pairs = [
        (number, places[names.models[-1], setting, prompt])
        for (model, setting, prompt), number in places.items()
        if model == names.models[0]
    ]
    for metric, values in ((names.metric, 100 * clip), (ACCURACY, correct)):
        deltas = np.asarray([values[b] - values[a] for a, b in pairs])
        mean, half = _mean(deltas)
        identity = ids["clip_score" if metric == names.metric else "object_accuracy"]
        yield DifferenceRow(
            RUN, metric, names.dataset, {}, names.models[-1], names.models[0], mean, half / 1.96, mean - half,
            mean + half, 0.0001, 0.0002, len(pairs), len(pairs), "higher", identity,
        )  # fmt: skip
    identity = ids["frechet_distance"]
    yield DifferenceRow(
        RUN, "frechet_distance", names.dataset, {}, names.models[-1], names.models[0], -12.3, 7.0, -26.0, 1.4, 0.08,
        0.08, len(pairs), 1, "lower", identity,
    )  # fmt: skip


def _audits(
    names: Names, rows: Sequence[Mapping[str, Any]], hats: Sequence[str | None], ids: Mapping[str, str]
) -> Iterator[AuditRow]:
    groups: dict[tuple[str, str], list[str]] = {}
    for row, hat in zip(rows, hats, strict=True):
        if hat is not None:
            groups.setdefault((row["model"], row["caption"]), []).append(hat)
    for (model, caption), found in groups.items():
        said = {"model": model, "hats.attribute_class": caption}
        for attribute in (names.attribute, "purple"):
            k, n = found.count(attribute), len(found)
            low, high = wilson(k, n)
            band = 1.96 * math.sqrt(0.25 / n)
            yield AuditRow(
                RUN, names.dataset, said, attribute, k, n, 1, k / n, low, high, 0.5, max(0, 0.5 - band),
                min(1, 0.5 + band), ids["audit"],
            )  # fmt: skip


def _mean(values: Any) -> tuple[float, float]:
    values = np.asarray(values, np.float64)
    return float(values.mean()), float(1.96 * values.std(ddof=1) / math.sqrt(len(values)))


def wilson(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return centre - half, centre + half
