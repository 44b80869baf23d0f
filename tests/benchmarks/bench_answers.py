"""Questions per second of a vision-language judge that sees a picture once, and of one that sees it with each question.

The model has random weights and the shape of a small real one in little: a vision tower of as many layers as the
language model, 256 tokens of a picture. Both answer the same questions about the same pictures, one thread each, taking
turns; medians are compared, and that the answers agree is asserted. Run by ``make bench``.

    python tests/benchmarks/bench_answers.py [PICTURES [QUESTIONS [TURNS]]]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image

from diptych.judges.answers import vision_language
from diptych.judges.contract import Answer, Query

PICTURES, QUESTIONS, TURNS = 4, 16, 3
SIDE = 512
WIDTH, LAYERS = 256, 6


def model(folder: Path) -> Path:
    """Save a Qwen3-VL of that shape."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tiny_vlms import save_qwen

    wide = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH}
    vision = {"depth": LAYERS, "out_hidden_size": WIDTH, "num_heads": 8, "patch_size": 16, **wide}
    more = {"deepstack_visual_indexes": [0], "num_position_embeddings": 1024}
    text = {"num_hidden_layers": LAYERS, "num_attention_heads": 8, "head_dim": 32, "max_position_embeddings": 4096}
    rope = {"mrope_section": [6, 5, 5]}
    return save_qwen(folder, 0, "Qwen3VL", {**vision, **more}, rope=rope, **text, **wide)


def asked(pictures: int, questions: int) -> tuple[list[Image.Image], list[list[Query]]]:
    """Return pictures of noise, and as many questions about each."""
    rng = np.random.default_rng(0)
    shown = [Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)) for _ in range(pictures)]
    about = [Query(f"Is there a cat, number {number}?", ("yes", "no")) for number in range(questions)]
    return shown, [about] * pictures


def timed(judge: vision_language.VisionLanguage, pictures: int, questions: int) -> tuple[float, list[Answer]]:
    """Return questions per second, and the answers."""
    shown, about = asked(pictures, questions)
    started = time.perf_counter()
    said = judge.answers(shown, about)
    return pictures * questions / (time.perf_counter() - started), [one for some in said for one in some or ()]


def likely(answers: Sequence[Answer]) -> list[float]:
    """Return the probabilities of all answers, one after another."""
    return [one for answer in answers for one in answer.probabilities]


def main() -> None:
    """Print both speeds, and how many times one is the other."""
    pictures, questions, turns = (
        int(given) for given in (*sys.argv[1:], *(PICTURES, QUESTIONS, TURNS)[len(sys.argv) - 1 :])
    )
    torch.set_num_threads(1)
    speeds: dict[str, list[float]] = {"once": [], "with each question": []}
    with tempfile.TemporaryDirectory() as name:
        limits: dict[vision_language.Limit, int] = {"min_pixels": SIDE**2, "max_pixels": SIDE**2}
        judge = vision_language.vision_language(
            weights=str(model(Path(name))), summation="official", limits=limits, device="cpu"
        )
        timed(judge, 1, 1)  # loads it
        for _ in range(turns):
            speed, once = timed(judge, pictures, questions)
            speeds["once"].append(speed)
            with mock.patch.object(vision_language, "why_not_shared", return_value="for comparison"):
                speed, each = timed(judge, pictures, questions)
            speeds["with each question"].append(speed)
            np.testing.assert_allclose(likely(once), likely(each), rtol=1e-3)
    medians = {how: statistics.median(some) for how, some in speeds.items()}
    print(f"{pictures} pictures of {SIDE} px, {questions} questions about each, one thread, median of {turns}:")
    for how, median in medians.items():
        print(f"  seen {how}: {median:,.1f} questions per second")
    print(f"  {medians['once'] / medians['with each question']:.1f} times as many")


if __name__ == "__main__":
    main()
