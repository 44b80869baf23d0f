"""What a reader should beware of, worked out from the store and the pools; each says what to do about it."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from diptych.progress.wording import quantity
from diptych.reports.links import MISSING, gallery
from diptych.reports.read.columns import PICTURE
from diptych.reports.read.counted import counted, unscored_link
from diptych.reports.read.numbers import count, plain_name, share
from diptych.reports.read.order import metrics_of
from diptych.reports.read.pictures import flag_values
from diptych.reports.read.report import BLURRED, Report

Results = Sequence[dict[str, Any]]
Caution = dict[str, str]


def cautions(report: Report, results: Results) -> list[Caution]:
    """Return sentences with the address that shows what they are about, in the order of their weight."""
    checks: tuple[Callable[[Report, Results], list[Caution]], ...] = (
        _sample,
        _without_interval,
        _unequal_sizes,
        _not_computed,
        _unscored,
        _identities,
        _unjudged,
        _pictures,
    )
    return [found for check in checks for found in check(report, results)]


def _say(text: str, href: str = "") -> list[Caution]:
    return [{"text": text, "href": href}]


def _sample(report: Report, results: Results) -> list[Caution]:
    if not report.rows.is_sample:
        return []
    shown, total = count(len(report.rows)), count(report.rows.total)
    return _say(f"{shown} of {total} images are shown, a fixed sample; raise max_images to see more.", "gallery.html")


def _without_interval(report: Report, results: Results) -> list[Caution]:
    found = []
    for metric, own in _by_metric([row for row in results if row["value"] is not None]).items():
        rough = [row for row in own if row["ci_low"] is None]
        if rough:
            text = f"{count(len(rough))} of {count(len(own))} numbers of {plain_name(metric)} have no interval; "
            rest = "the notes beside them say why." + (" Compare them only at equal n." if own[0]["size_bias"] else "")
            found += _say(text + rest, "scores.html")
    return found


def _unequal_sizes(report: Report, results: Results) -> list[Caution]:
    found = []
    for metric, own in _by_metric([row for row in results if set(row["groups"]) == {"model"}]).items():
        sizes, bias = {row["n"] for row in own}, own[0]["size_bias"]
        if bias is not None and len(sizes) > 1:
            text = f"{plain_name(metric)} was computed at different n ({', '.join(map(count, sorted(sizes)))})."
            why = "Its correction for size is rough" if bias == "corrected" else "It depends on n"
            found += _say(f"{text} {why}: compare at equal n.", "scores.html")
    return found


def _by_metric(results: Results) -> dict[str, list[dict[str, Any]]]:
    return {metric: [row for row in results if row["metric"] == metric] for metric in metrics_of(results)}


def _not_computed(report: Report, results: Results) -> list[Caution]:
    reasons: dict[str, int] = {}
    for row in results:
        if row["value"] is None:
            reason = f"{plain_name(row['metric'])}: {(row['reason'] or 'no reason given').replace('_', ' ')}"
            reasons[reason] = reasons.get(reason, 0) + 1
    return [
        caution
        for reason, n in sorted(reasons.items())
        for caution in _say(f"{quantity(n, 'result')} could not be computed. {reason}.", "scores.html")
    ]


def _unscored(report: Report, results: Results) -> list[Caution]:
    found = []
    # What is over several datasets together leaves out what each of them does, which is said of each.
    results = [row for row in results if "+" not in row["dataset"] or row["dataset"] in report.rows.folders]
    is_one = len({row["dataset"] for row in results}) == 1
    kinds: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in results:
        kinds.setdefault((row["metric"], row["dataset"]), []).append(row)
    for (metric, dataset), own in kinds.items():
        rows = _coarsest(own)
        missing, n = sum(row["n_unscored"] or 0 for row in rows), sum(row["n"] for row in rows)
        if missing:
            noun = counted(report, rows[0])
            what = noun.removesuffix("s") if missing == 1 else noun
            text = f"{plain_name(metric)} leaves out {count(missing)} {what}{'' if is_one else f' in {dataset}'}"
            text += f" ({share(missing, missing + n)})."
            found += _say(text, unscored_link(report, {**rows[0], "groups": {}}))
    return found


def _coarsest(results: Results) -> Results:
    """Return results that count each image once: by nothing, else by model, else by the fewest columns."""
    groupings = sorted({tuple(row["groups"]) for row in results}, key=lambda names: (len(names), names != ("model",)))
    own = [row for row in results if tuple(row["groups"]) == groupings[0]]
    return list({str(row["groups"]): row for row in own}.values())


def _identities(report: Report, results: Results) -> list[Caution]:
    found = []
    for metric, own in _by_metric(results).items():
        identities = {row["identity_id"] for row in own if row["identity_id"]}
        if len(identities) > 1:
            text = f"{plain_name(metric)} was computed in {len(identities)} ways, shown in tables of their own."
            found += _say(f"{text} They cannot be compared with each other.", "scores.html")
    return found


def _unjudged(report: Report, results: Results) -> list[Caution]:
    rule = report.config.flagged
    if rule is None:
        return []
    blurred = sum(picture.is_blurred for picture in report.pictures)
    values = flag_values(report.rows, rule)
    never = sum(
        picture.is_blurred and math.isnan(value)
        for picture, value in zip(report.pictures, values.tolist(), strict=True)
    )
    if not blurred:
        return []
    how = f", {count(never)} of them because {rule.score} does not judge them" if never else ""
    return _say(
        f"{count(blurred)} pictures{report.sample_note} are blurred on disk as flagged{how}.",
        gallery({PICTURE: BLURRED}),
    )


def _pictures(report: Report, results: Results) -> list[Caution]:
    broken: dict[str, int] = {}
    for row, picture in enumerate(report.pictures):
        if picture.problem and report.rows.columns["status"][row] == "ok":
            broken[picture.problem] = broken.get(picture.problem, 0) + 1
    if not broken:
        return []
    href = gallery({"status": "ok", PICTURE: MISSING})
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count(n)}" for reason, n in sorted(broken.items()))
    return _say(f"{count(sum(broken.values()))} pictures{report.sample_note} cannot be decoded: {reasons}.", href)
