"""How well a CLIP tells the scenes of the drawn world apart, on scenes that nothing was trained on.

It is loaded as any other one is. Each figure comes with the number of examples behind it and an interval of 95 percent.
Decides nothing about what is good enough, and prints nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from diptych.data.images import decode
from diptych.demo.measure.embedding import Vectors, counted, embed, embed_texts
from diptych.demo.measure.ratings import bootstrap, recall_at_1, roc_auc
from diptych.demo.world.captions import distinct_captions
from diptych.demo.world.drawing import draw
from diptych.demo.world.faults import encoded, may_describe
from diptych.demo.world.plan import WebRow, plan_rows
from diptych.demo.world.scenes import Scene
from diptych.demo.world.seeds import HELD_OUT, MEASURED_WEB
from diptych.demo.world.specimens import specimen
from diptych.demo.world.web import bytes_of
from diptych.encoders import Encoder
from diptych.encoders.open_clip import open_clip_encoder
from diptych.intervals import ShareEstimate, wilson
from diptych.progress import track
from diptych.scores.clip_similarity import cosine

ROWS = 500
WEB_ROWS = 2000


def measure_clip(
    folder: Path, *, rows: int = ROWS, web_rows: int = WEB_ROWS, progress: str = "none"
) -> dict[str, ShareEstimate]:
    """Return how well a CLIP tells scenes apart by captions and captions by scenes.

    Args:
        folder: The model in open_clip's layout.
        rows: Held-out scenes with captions of their own.
        web_rows: Rows of a held-out demo web, of which those with a picture and an English caption count.
        progress: Display mode, see ``diptych.progress``.

    Returns:
        ``image_to_text_recall_at_1`` and ``text_to_image_recall_at_1`` on pictures of 64 pixels, ``..._web`` on files
        of the demo web's sizes and formats; ``matched_auc``: the cosine of matched against mismatched captions on the
        pictures of 64 pixels, ``matched_auc_web``: on a whole demo web with all its faults.
    """
    encoder = open_clip_encoder(architecture=str(folder))
    chosen = distinct_captions(rows, start=HELD_OUT)
    texts = embed_texts(encoder, [one.caption for one in chosen])
    web = _matchable(web_rows)
    with track("measure the CLIP", 2 * rows + len(web), mode=progress, unit="pictures") as tracker:
        drawn = embed(encoder, counted(tracker, (decode(encoded(draw(one.scene), "png", 0)) for one in chosen)))
        served = embed(encoder, counted(tracker, (specimen(one.scene.seed, {"": 1}).image for one in chosen)))
        on_web = embed(encoder, counted(tracker, (decode(bytes_of(row)) for row in web)))
    others = _other_captions([one.scene for one in chosen])
    matched, mismatched = cosine(drawn, texts), cosine(drawn[others[:, 0]], texts[others[:, 1]])
    return {
        "image_to_text_recall_at_1": wilson(recall_at_1(drawn @ texts.T), rows),
        "text_to_image_recall_at_1": wilson(recall_at_1(texts @ drawn.T), rows),
        "image_to_text_recall_at_1_web": wilson(recall_at_1(served @ texts.T), rows),
        "matched_auc": bootstrap(roc_auc, (matched, mismatched)),
        "matched_auc_web": _matched_auc_on_web(encoder, web, on_web),
    }


def _other_captions(scenes: Sequence[Scene]) -> npt.NDArray[np.int64]:
    """Return for each scene the number of the next one whose words cannot be true of it: int64 (N, 2)."""
    pairs = []
    for number, shown in enumerate(scenes):
        following = (other % len(scenes) for other in range(number + 1, number + len(scenes)))
        pairs += [(number, next(other for other in following if not may_describe(scenes[other], shown)))]
    return np.array(pairs)


def _matchable(count: int) -> list[WebRow]:
    """Return the rows of a held-out web that have a picture and an English caption, fitting or not."""
    return [
        row
        for row in plan_rows(count, seed=MEASURED_WEB)
        if row.status == "ok" and row.caption is not None and row.caption_fault in ("", "mismatched")
    ]


def _matched_auc_on_web(encoder: Encoder, rows: Sequence[WebRow], pictures: Vectors) -> ShareEstimate:
    similarity = cosine(pictures, embed_texts(encoder, [str(row.caption) for row in rows]))
    mismatched = np.array([row.caption_fault == "mismatched" for row in rows])
    return bootstrap(roc_auc, (similarity[~mismatched], similarity[mismatched]))
