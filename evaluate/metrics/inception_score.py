"""Inception score, as published. A set metric of one set: how sure and how varied what Inception sees is.

exp of the mean divergence of each image's classes from those of all, over 10 splits, on their mean. Source: Salimans et
al. 2016 (arXiv 1606.03498), section 4. Splits are tenths of the images in the order of a hash of their vectors, so that
neither the order of the files nor the cut of the work changes the number; in the same order torch-fidelity's number is
the same. It needs class logits: the encoder ``inception`` with ``layer: logits``, whose classifier has no bias, as
torch-fidelity's and the first program's. Other splits and other logits make other numbers.

The spread over splits that papers print beside it is no error: every split has the size bias of a tenth of the images.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from diptych.encoders.inception_layers import LAYERS
from diptych.evaluate.metrics.contract import ReportedValue, Result, SetMetric, bare, missing
from diptych.evaluate.metrics.kept_vectors import KeptVectors

NAME = "inception_score"
VERSION = 1
SPLITS = 10
MIN_IMAGES = SPLITS


def results_of(statistics: KeptVectors, reference: None, identity: Mapping[str, Any]) -> dict[str, Result]:
    """Return the mean over splits, and in its note their spread, see ``SetMetric.results``."""
    splits = f"{SPLITS}, in the order of a hash of the vectors"
    identity = {"metric": NAME, "version": VERSION, "splits": splits, **identity}
    if statistics.n < MIN_IMAGES:
        note = f"needs at least {MIN_IMAGES} images, not {statistics.n}"
        return {NAME: missing("too_few_images", statistics.n, identity, note)}
    encoder = identity.get("encoder")
    if isinstance(encoder, Mapping) and encoder.get("layer") != LAYERS["logits"].said:
        note = "needs the logits of classes: encoder inception with layer: logits"
        return {NAME: missing("no_logits", statistics.n, identity, note)}
    found = split_scores(statistics.matrix[statistics.drawing_order])
    note = f"no interval: {found.std():.3g}, the spread over {SPLITS} splits, is none; compare at equal n"
    return {NAME: bare(float(found.mean()), statistics.n, identity, note)}


def split_scores(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Return the score of each split of logits (N, C), N at least ``SPLITS``, float64 (SPLITS,), each in [1, C].

    >>> np.round(split_scores(np.tile(np.eye(3) * 50.0, (20, 1))), 6).tolist()[:2]
    [3.0, 3.0]
    """
    n = len(logits)
    scores = np.empty(SPLITS)
    for number in range(SPLITS):
        part = logits[number * n // SPLITS : (number + 1) * n // SPLITS].astype(np.float64)
        log_p = part - logsumexp(part, axis=1, keepdims=True)
        p = np.exp(log_p)
        log_mean = logsumexp(log_p, axis=0) - np.log(len(part))
        scores[number] = np.exp((p * (log_p - log_mean)).sum(axis=1).mean())
    return scores


INCEPTION_SCORE = SetMetric(
    name=NAME,
    values=(ReportedValue(NAME, better="higher", low=1.0 - 1e-9, size_bias="uncorrected"),),
    statistics=KeptVectors.of,
    results=results_of,
    needs_reference=False,
)
