"""The noise floor of a distance: how far the images of a model are from its own images with other seeds.

The images of each prompt and setting are dealt out to two halves by their samples, so that both have the same prompts
and the same number of images, and differ by their seeds alone. A distance to photographs, or a difference of two
models, that is not larger than that may be nothing but seeds.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from diptych.data.generated_columns import columns_of
from diptych.evaluate.collected import Findings
from diptych.evaluate.inputs.asked_rows import SAMPLE
from diptych.evaluate.inputs.row_codes import codes
from diptych.evaluate.inputs.scored_rows import Index, RowGroup
from diptych.evaluate.metrics.distances import MeasuredDataset, MeasuredGroup
from diptych.store.rows import NOISE_FLOOR
from diptych.store.store import ResultRow

OTHER_SEEDS = "other seeds"


def noise_floor_rows(
    measures: MeasuredDataset, names: Mapping[str, str], each: MeasuredGroup, found: Findings
) -> Iterator[ResultRow]:
    """Yield the distance of one half of a group from the other, one for each value of the metric.

    There is none where the metric looks at one set, or where no prompt has two pictures of one setting. A row has the
    group ``noise_floor`` beside those of its group, and no interval: both halves are of the same prompts.
    """
    metric = measures.reference.metric
    halves = seed_halves(measures, each.group.rows) if metric.needs_reference else None
    if halves is None:
        return
    first, second = (measures.measure(RowGroup(each.group.values, rows)).statistics for rows in halves)
    identity = {**measures.reference.identity(measures.judged), "reference": f"the same, {OTHER_SEEDS}"}
    results = metric.results(first, second, identity)
    n = len(halves[0])
    note = f"two halves of {n:,} images each, which are of the same prompts and differ by their seeds; no interval"
    for value in metric.values:
        if value.name in results:
            result = results[value.name]
            yield ResultRow(
                found.run_id,
                names[value.name],
                measures.judged.label,
                {**each.group.values, NOISE_FLOOR: OTHER_SEEDS},
                result.value,
                None,
                None,
                None,
                n,
                len(each.group.rows) - 2 * n,
                value.unit,
                value.better,
                found.identify(result.identity),
                result.reason,
                note,
                value.size_bias,
            )


def seed_halves(measures: MeasuredDataset, rows: Index) -> tuple[Index, Index] | None:
    """Return the rows with a picture in two halves: of each prompt and setting every other sample; None without any.

    Of an odd number of samples the last is left out.
    """
    judged = measures.judged
    if not judged.has(SAMPLE):
        return None
    known = measures.known(rows)
    names = [name for name in columns_of("prompt", "model", "setting") if judged.has(name)]
    unit = codes([judged.values(name).take(pa.array(known)) for name in names], len(known))
    samples = np.array([value or 0 for value in judged.values(SAMPLE).take(pa.array(known)).to_pylist()], np.int64)
    order = np.lexsort((samples, unit))
    known, unit = known[order], unit[order]
    starts = np.flatnonzero(np.concatenate([[True], unit[1:] != unit[:-1]])) if len(unit) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(unit)))
    place = np.arange(len(unit)) - np.repeat(starts, sizes)
    counted = place < np.repeat(sizes // 2 * 2, sizes)
    halves = known[counted & (place % 2 == 0)], known[counted & (place % 2 == 1)]
    return (np.sort(halves[0]), np.sort(halves[1])) if len(halves[0]) else None
