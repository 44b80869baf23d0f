import json
import random
import shutil
import string
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from drawn import picture
from open_clip.transformer import QuickGELU
from tiny_clip import SQUASHED, TEXTS, save_clip
from tiny_dataset import make_dataset, mixed_rows

from diptych import demo
from diptych.data import images
from diptych.data.shards import read_shard
from diptych.encoders import make_encoder
from diptych.encoders.open_clip import OpenClipEncoder, open_clip_encoder
from diptych.errors import ConfigError
from diptych.scores.plan import ScorePlan
from diptych.scores.run import score_dataset

SIZES = [(48, 32), (32, 48), (32, 32), (300, 20), (1, 1), (640, 480)]


def pictures() -> list[images.Image]:
    return [images.decode(picture(seed, size, kind="PNG")) for seed, size in enumerate(SIZES)]


def embed(encoder: OpenClipEncoder) -> np.ndarray:
    return encoder.images([encoder.prepare(image) for image in pictures()])


def plain_vectors(name: str, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return image and text vectors as open_clip's own documentation makes them."""
    model, _, transform = open_clip.create_model_and_transforms(name, **options)
    model.eval()
    with torch.no_grad():
        seen = model.encode_image(torch.stack([transform(image) for image in pictures()]), normalize=True)
        read = model.encode_text(open_clip.get_tokenizer(name)(TEXTS), normalize=True)
    return seen.numpy(), read.numpy()


def activation(encoder: OpenClipEncoder) -> type:
    blocks = [*encoder._model.visual.transformer.resblocks, *encoder._model.transformer.resblocks]
    (kind,) = {type(block.mlp.gelu) for block in blocks}
    return kind


def assert_same_vectors(encoder: OpenClipEncoder, expected: tuple[np.ndarray, np.ndarray]) -> None:
    for vectors, reference in zip((embed(encoder), encoder.texts(TEXTS)), expected, strict=True):
        assert (vectors.dtype, vectors.shape) == (np.dtype(np.float32), (len(reference), encoder.dim))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(vectors, reference, atol=2e-6)


@pytest.mark.reference
def test_a_folder_gives_the_vectors_of_open_clip(folder: Path) -> None:
    encoder = open_clip_encoder(architecture=str(folder))
    assert encoder.dim == 32
    assert_same_vectors(encoder, plain_vectors(f"local-dir:{folder}"))
    assert_same_vectors(open_clip_encoder(architecture=f"local-dir:{folder}"), plain_vectors(f"local-dir:{folder}"))


def test_a_folder_in_a_package_is_the_same_model_wherever_that_is_installed() -> None:
    by_path = open_clip_encoder(architecture=str(Path(demo.__file__).parent / "models" / "clip"))
    assert open_clip_encoder(architecture="package:diptych.demo/models/clip").identity == by_path.identity


@pytest.mark.reference
def test_a_named_architecture_with_a_checkpoint_gives_the_vectors_of_open_clip(named: None, checkpoint: Path) -> None:
    encoder = open_clip_encoder(architecture="Tiny", pretrained=str(checkpoint))
    assert_same_vectors(encoder, plain_vectors("Tiny", pretrained=str(checkpoint)))


@pytest.mark.reference
@pytest.mark.parametrize("preprocess", [SQUASHED, {}, {"resize_mode": "longest", "fill_color": 128, "mean": None}])
def test_the_preprocessing_is_that_of_open_clip(tmp_path: Path, preprocess: dict[str, Any]) -> None:
    name = str(save_clip(tmp_path / "model", preprocess={**preprocess, "size": 99}))
    encoder = open_clip_encoder(architecture=name)
    _, _, transform = open_clip.create_model_and_transforms(f"local-dir:{name}")
    for image in pictures():
        prepared = encoder.prepare(image)
        assert (prepared.dtype, prepared.shape) == (np.dtype(np.float32), (3, 32, 32))
        assert np.array_equal(prepared, transform(image).numpy())


def test_the_preprocessing_can_be_overridden(folder: Path) -> None:
    flat = open_clip_encoder(architecture=str(folder), preprocess={"mean": [0, 0, 0], "std": [1, 1, 1]})
    prepared = flat.prepare(images.decode(picture(0)))
    assert 0 <= prepared.min() < prepared.max() <= 1
    assert flat.identity["preprocess"]["interpolation"] == "bilinear"


@pytest.mark.parametrize("kind", ["checkpoint", "tag"])
def test_the_activation_follows_the_name(named: None, checkpoint: Path, kind: str) -> None:
    pretrained = str(checkpoint) if kind == "checkpoint" else "plain"
    plain = open_clip_encoder(architecture="Tiny", pretrained=pretrained)
    quick = open_clip_encoder(
        architecture="Tiny-quickgelu", pretrained=pretrained if kind == "checkpoint" else "silent"
    )
    assert (activation(plain), plain.identity["quick_gelu"]) == (torch.nn.GELU, False)
    assert (activation(quick), quick.identity["quick_gelu"]) == (QuickGELU, True)
    assert not np.allclose(embed(plain), embed(quick), atol=1e-4)


@pytest.mark.reference
def test_weights_that_need_quick_gelu_get_it_under_the_plain_name(named: None) -> None:
    encoder = open_clip_encoder(architecture="Tiny", pretrained="openai")
    assert encoder.identity["quick_gelu"] is True
    assert activation(encoder) is QuickGELU
    assert_same_vectors(encoder, plain_vectors("Tiny-quickgelu", pretrained="openai"))


def test_openai_weights_under_a_name_that_means_gelu_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ViT-B-32.pt"
    path.touch()
    published = open_clip.get_pretrained_cfg("ViT-B-32", "openai")["url"].split("/")[-2]
    assert len(published) == 64
    monkeypatch.setattr("diptych.encoders.open_clip_source.file_sha256", lambda path: published)
    with pytest.raises(ConfigError, match="need QuickGELU; write architecture: ViT-B-32-quickgelu"):
        open_clip_encoder(architecture="ViT-B-32", pretrained=str(path))
    accepted = open_clip_encoder(architecture="ViT-B-32-quickgelu", pretrained=str(path))
    assert accepted.identity["quick_gelu"] is True
    monkeypatch.setattr("diptych.encoders.open_clip_source.file_sha256", lambda path: "0" * 64)
    assert open_clip_encoder(architecture="ViT-B-32", pretrained=str(path)).identity["quick_gelu"] is False


def test_77_tokens_are_seen_with_start_and_end(folder: Path) -> None:
    encoder = open_clip_encoder(architecture=str(folder))
    counts = [0, 1, 74, 75, 76, 77, 200]
    assert encoder.truncated(["cat " * count for count in counts]).tolist() == [False] * 4 + [True] * 3
    cut, full, shorter = encoder.texts(["cat " * 200, "cat " * 75, "cat " * 74])
    assert np.array_equal(cut, full), "the end token stays when a text is cut"
    assert not np.allclose(full, shorter)
    assert encoder.truncated([]).shape == (0,)


@pytest.mark.reference
def test_long_texts_are_shortened_only_beyond_what_the_model_sees(folder: Path) -> None:
    texts = ["a cat" + " " * 10_000 + "and a dog", "some words of a long page " * 1000, "汉" * 10_000, "!?" * 4000]
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(texts)
    model = open_clip.create_model(f"local-dir:{folder}").eval()
    encoder = open_clip_encoder(architecture=str(folder))
    with torch.no_grad():
        expected = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.texts(texts), expected, atol=2e-6)
    assert encoder.truncated(texts).tolist() == [False, True, True, True]


def test_a_megabyte_of_letters_costs_no_more_than_its_head(folder: Path) -> None:
    text = "".join(random.Random(0).choices(string.ascii_lowercase, k=1_000_000))
    encoder = open_clip_encoder(architecture=str(folder))
    start = time.monotonic()
    encoder.texts([text])
    assert encoder.truncated([text]).tolist() == [True]
    assert time.monotonic() - start < 20, "it took quadratic time"


@pytest.mark.parametrize("size", [1, 2, 5])
def test_vectors_do_not_depend_on_the_batch(folder: Path, size: int) -> None:
    encoder = open_clip_encoder(architecture=str(folder))
    prepared = [encoder.prepare(image) for image in pictures()]
    parts = [encoder.images(prepared[start : start + size]) for start in range(0, len(prepared), size)]
    np.testing.assert_allclose(np.concatenate(parts), encoder.images(prepared), atol=2e-6)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_lower_precision_gives_nearly_the_same_float32_vectors(folder: Path, precision: str) -> None:
    options = {"architecture": str(folder), "precision": precision, "device": "cpu"}
    low, full = make_encoder("open_clip", options), make_encoder("open_clip", {"architecture": str(folder)})
    for vectors, expected in [(embed(low), embed(full)), (low.texts(TEXTS), full.texts(TEXTS))]:  # type: ignore[arg-type]
        assert vectors.dtype == np.float32
        assert (vectors * expected).sum(axis=1).min() > 0.995
        assert not np.array_equal(vectors, expected)


def test_the_identity_changes_with_what_changes_a_vector(tmp_path: Path, folder: Path) -> None:
    options = [
        {"architecture": str(folder)},
        {"architecture": str(save_clip(tmp_path / "weights", seed=1, preprocess=SQUASHED))},
        {"architecture": str(save_clip(tmp_path / "activation", preprocess=SQUASHED, quick_gelu=True))},
        {"architecture": str(save_clip(tmp_path / "preprocessing"))},
        {"architecture": str(folder), "preprocess": {"interpolation": "bicubic"}},
        {"architecture": str(folder), "precision": "fp16"},
    ]
    identities = [make_encoder("open_clip", each).identity for each in options]
    assert len({json.dumps(identity) for identity in identities}) == len(options)


def test_the_identity_does_not_change_with_place_or_device(tmp_path: Path, folder: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "README.md").touch()
    copied = open_clip_encoder(architecture=str(tmp_path / "copy"), device="cuda:3").identity
    identity = open_clip_encoder(architecture=str(folder), device="cpu").identity
    assert copied == identity == json.loads(json.dumps(identity))
    assert str(folder) not in json.dumps(identity)
    assert identity["architecture"] == "from a folder"


def test_the_identity_of_a_named_model_names_it(named: None, checkpoint: Path) -> None:
    tagged, own = (open_clip_encoder(architecture="Tiny", pretrained=one) for one in ("plain", str(checkpoint)))
    assert tagged.identity == own.identity
    assert tagged.identity["architecture"] == "Tiny"


def test_nothing_is_loaded_before_the_first_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    real: Callable[..., Any] = open_clip.create_model

    def create(name: str, **options: Any) -> Any:
        loads.append(name)
        return real(name, **options)

    monkeypatch.setattr(open_clip, "create_model", create)
    encoder = open_clip_encoder(architecture=str(folder))
    prepared = encoder.prepare(pictures()[0])
    assert (encoder.dim, len(encoder.identity["weights_sha256"]), encoder.truncated(["a"]).tolist()) == (
        32,
        64,
        [False],
    )
    assert loads == []
    encoder.images([prepared])
    encoder.texts(["a"])
    assert loads == [f"local-dir:{folder}"]


def test_scores_do_not_depend_on_batches_or_workers_beyond_rounding(tmp_path: Path, folder: Path) -> None:
    plan = ScorePlan(
        {"tiny": ("open_clip", {"architecture": str(folder)})}, {"sim": ("clip_similarity", {"encoder": "tiny"})}
    )
    found = []
    for name, options in {
        "a": {"batch_size": 64},
        "b": {"batch_size": 1},
        "c": {"batch_size": 3, "threads": 1},
    }.items():
        make_dataset(tmp_path / name, mixed_rows())
        run = score_dataset(tmp_path / name, plan, progress="none", **options)  # type: ignore[arg-type]
        rows = [row for file in run.sets["sim"].files for row in read_shard(file).to_pylist()]
        found.append([(row["clip_similarity"], row["caption_truncated"], row["reason"]) for row in rows])
    for other in found[1:]:
        assert [row[1:] for row in other] == [row[1:] for row in found[0]]
        values = [np.array([row[0] for row in rows], np.float64) for rows in (other, found[0])]
        np.testing.assert_allclose(*values, atol=1e-3)  # vectors are stored as float16
