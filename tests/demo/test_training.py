"""The program that trains the demo CLIP and its heads, at a size that takes no time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from click.testing import CliRunner

import diptych.demo
from diptych.demo.measure import ratings
from diptych.demo.measure.clip_quality import measure_clip
from diptych.demo.measure.heads_quality import measure_heads
from diptych.demo.training import clip, heads, rows
from diptych.demo.training.__main__ import main
from diptych.demo.training.clip import ClipTrainer, ClipTraining, train_clip
from diptych.demo.training.runs import CHECKPOINT, load_checkpoint
from diptych.demo.training.stops import Stopped
from diptych.demo.world.captions import caption_of
from diptych.demo.world.plan import plan_rows
from diptych.demo.world.seeds import CLIP_ROWS
from diptych.demo.world.specimens import specimen
from diptych.encoders.open_clip import open_clip_encoder
from diptych.errors import ConfigError, ShardError
from diptych.scores.aesthetic import LinearHead, aesthetic, load_head, rate

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 4, "head_width": 32},
    "text_cfg": {"context_length": 40, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
}
TRAINING = ClipTraining(steps=4, batch=8, rows=48, warm_up=2, model=TINY)


def train(out: Path, training: ClipTraining = TRAINING) -> Path:
    return train_clip(out, training, threads=1, check_every=2)


@pytest.fixture(autouse=True)
def _few_pictures_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "CHECK_ROWS", 20)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run of four steps."""
    out = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clip, "CHECK_ROWS", 20)
        train(out)
    return out


@pytest.fixture
def drawn(trained: Path) -> rows.CaptionRows:
    return rows.draw_rows(trained / "rows", TRAINING.rows, side=64, context=40)


def weights(folder: Path) -> bytes:
    return (folder / "clip" / "open_clip_model.safetensors").read_bytes()


def share_rows(trained: Path, out: Path) -> Path:
    out.mkdir()
    (out / "rows").symlink_to(trained / "rows")
    return out


def test_product_loads_what_was_saved(trained: Path) -> None:
    encoder = open_clip_encoder(architecture=str(trained / "clip"), device="cpu")
    picture = specimen(1, {"": 1}).image
    assert encoder.images([encoder.prepare(picture)]).shape == (1, 16)
    assert encoder.texts(["a red car"]).shape == (1, 16)
    assert encoder.identity["context_length"] == 40
    assert not encoder.truncated([caption_of(row.scene) for row in plan_rows(100)]).any()


def test_product_computes_what_was_trained(trained: Path, drawn: rows.CaptionRows) -> None:
    trainer = ClipTrainer(TRAINING, drawn)
    load_checkpoint(trainer, trained / CHECKPOINT)
    trainer.model.eval().cpu()
    encoder = open_clip_encoder(architecture=str(trained / "clip"), device="cpu")
    picture = specimen(1, {"": 1}).image
    pixels = np.asarray(picture.resize((64, 64), rows.Resampling.BICUBIC))[np.newaxis].copy()
    tokens = open_clip.get_tokenizer("ViT-B-32", context_length=40)(["a red car"])
    with torch.inference_mode():
        image = trainer.model.encode_image(clip.scaled(torch.from_numpy(pixels)), normalize=True).numpy()
        text = trainer.model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.images([encoder.prepare(picture)]), image, atol=5e-3)
    np.testing.assert_allclose(encoder.texts(["a red car"]), text, atol=5e-3)


def test_stopped_run_goes_on_to_the_same_weights(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = share_rows(trained, tmp_path / "stopped")
    take_step: Callable[[ClipTrainer], dict[str, float]] = ClipTrainer.take_step

    def stop_after_three(self: ClipTrainer) -> dict[str, float]:
        losses = take_step(self)
        if self.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return losses

    monkeypatch.setattr(ClipTrainer, "take_step", stop_after_three)
    with pytest.raises(Stopped, match="stopped at step 3 of 4; the same command goes on") as stopped:
        train(out)
    assert stopped.value.exit_code == 143
    curve = [json.loads(line) for line in (out / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["step"] for entry in curve] == [2, 3]
    assert not (out / "clip").exists()
    train(out)
    assert weights(out) == weights(trained)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_another_seed_gives_other_weights(trained: Path, tmp_path: Path) -> None:
    out = share_rows(trained, tmp_path / "other")
    train(out, replace(TRAINING, seed=1))
    assert weights(out) != weights(trained)


def test_run_goes_on_with_more_steps_but_with_no_other_setting(trained: Path, tmp_path: Path) -> None:
    out = share_rows(trained, tmp_path / "longer")
    train(out, replace(TRAINING, steps=2))
    train(out, replace(TRAINING, steps=3))
    assert json.loads((out / "curve.jsonl").read_text(encoding="utf-8").splitlines()[-1])["step"] == 3
    with pytest.raises(ConfigError, match=r"training\.json: this run has another batch, seed; give the same"):
        train(out, replace(TRAINING, batch=4, seed=3))


def test_batches_larger_than_all_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batches of 9 need as many pictures; there are 8"):
        train(tmp_path, replace(TRAINING, batch=9, rows=8))


def test_pictures_are_drawn_once_and_do_not_depend_on_processes(
    tmp_path: Path, drawn: rows.CaptionRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rows.draw_rows(tmp_path, 20, side=64, context=40)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    monkeypatch.setattr(rows, "_write_rows", lambda _: pytest.fail("was drawn again"))
    again = rows.draw_rows(tmp_path, 20, side=64, context=40, processes=2)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    for one, other, longer in zip(first, again, drawn, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, longer[:20])


def test_last_file_of_pictures_holds_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_PER_FILE", 4)
    assert len(rows.draw_rows(tmp_path, 10, side=64, context=40).pixels) == 10
    assert len(list(tmp_path.iterdir())) == 3


def test_training_sees_pictures_as_the_product_prepares_them(trained: Path, drawn: rows.CaptionRows) -> None:
    encoder = open_clip_encoder(architecture=str(trained / "clip"), device="cpu")
    seen = clip.scaled(torch.from_numpy(drawn.pixels[:20])).numpy()
    for number in range(20):
        one = specimen(CLIP_ROWS + number, rows.FAULT_WEIGHTS, rows.SIZES_PX)
        np.testing.assert_allclose(seen[number], encoder.prepare(one.image), atol=1e-6)
        assert drawn.flagged[number] == (one.fault == "flagged")


def test_pictures_are_mirrored_only_where_captions_stay_true(drawn: rows.CaptionRows) -> None:
    mirrored = 0
    for step in range(12):
        batch = clip.batch_of(drawn, TRAINING, step, torch.device("cpu"))
        for image in batch.images:
            match = [(image == clip.scaled(torch.from_numpy(p[None]))[0]).all() for p in drawn.pixels]
            turned = [(image == clip.scaled(torch.from_numpy(p[None, :, ::-1].copy()))[0]).all() for p in drawn.pixels]
            if not any(match):
                mirrored += 1
                assert not drawn.has_sides[turned.index(True)]
    assert drawn.has_sides.any()
    assert 12 * 8 / 4 < mirrored < 12 * 8 * 3 / 4


def test_batch_follows_from_the_seed_and_the_step_alone(drawn: rows.CaptionRows) -> None:
    device = torch.device("cpu")
    one, again, other = (clip.batch_of(drawn, TRAINING, step, device) for step in (5, 5, 6))
    assert all(torch.equal(left, right) for left, right in zip(one, again, strict=True))
    assert not torch.equal(one.tokens, other.tokens)


def test_texts_are_encoded_as_the_model_encodes_them(drawn: rows.CaptionRows) -> None:
    model = ClipTrainer(TRAINING, drawn).model.cpu()
    tokens = open_clip.get_tokenizer("ViT-B-32", context_length=40)(
        ["a red car", "two green fish on a plain background"]
    )
    with torch.inference_mode():
        torch.testing.assert_close(clip.encode_texts(model, tokens), model.encode_text(tokens))


def test_words_of_no_caption_are_zeros_and_stay_so(trained: Path) -> None:
    from safetensors.numpy import load_file

    embedding = load_file(trained / "clip" / "open_clip_model.safetensors")["token_embedding.weight"]
    filled = np.flatnonzero(np.abs(embedding).sum(axis=1))
    assert embedding.dtype == np.float16
    assert 20 < len(filled) < 400


def test_loss_of_a_model_that_tells_nothing_apart_is_the_logarithm_of_the_batch() -> None:
    same, tokens = torch.ones(4, 2) / 2**0.5, torch.arange(4)[:, None]
    assert clip.contrastive_loss(same, same, tokens, torch.tensor(3.0)).item() == pytest.approx(np.log(4))


def test_equal_captions_are_no_negatives_of_each_other() -> None:
    images, tokens = torch.eye(2), torch.tensor([[7], [7]])
    texts = torch.eye(2).flip(0)  # as wrong as can be
    assert clip.contrastive_loss(images, texts, tokens, torch.tensor(3.0)).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.reference
def test_loss_agrees_with_that_of_open_clip() -> None:
    generator = torch.Generator().manual_seed(0)
    images, texts = (torch.nn.functional.normalize(torch.randn(6, 5, generator=generator), dim=1) for _ in range(2))
    expected = open_clip.ClipLoss()(images, texts, torch.tensor(2.5).exp())
    found = clip.contrastive_loss(images, texts, torch.arange(6)[:, None], torch.tensor(2.5))
    torch.testing.assert_close(found, expected)


def test_learning_rate_rises_in_a_line_and_falls_to_nothing() -> None:
    training = ClipTraining(steps=100, warm_up=10, learning_rate=1.0)
    rates = [clip.learning_rate_at(step, training) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_matrices_alone_decay(drawn: rows.CaptionRows) -> None:
    trainer = ClipTrainer(TRAINING, drawn)
    decayed, others = trainer.optimiser.param_groups
    assert decayed["weight_decay"] == TRAINING.weight_decay
    assert others["weight_decay"] == 0.0
    assert any(weight is trainer.model.token_embedding.weight for weight in others["params"])
    assert {weight.ndim for weight in decayed["params"]} == {2, 4}


def test_ridge_without_penalty_finds_an_exact_head() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    head = heads.fit_ridge(vectors, vectors @ [1.0, -2.0, 0.5, 3.0] + 0.25, penalty=0.0)
    np.testing.assert_allclose(head.weight, [1.0, -2.0, 0.5, 3.0])
    assert head.bias == pytest.approx(0.25)


@pytest.mark.reference
def test_ridge_and_logistic_agree_with_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(200, 5)).astype(np.float32)
    targets = vectors @ [1.0, 2.0, 0.0, -1.0, 0.5] + generator.normal(size=200)
    ridge = linear.Ridge(alpha=3.0).fit(vectors.astype(np.float64), targets)
    np.testing.assert_allclose(heads.fit_ridge(vectors, targets, penalty=3.0).weight, ridge.coef_, rtol=1e-9)
    logistic = linear.LogisticRegression(C=1 / 0.1, tol=1e-10, max_iter=1000).fit(
        vectors.astype(np.float64), targets > 0
    )
    head = heads.fit_logistic(vectors, targets > 0, penalty=0.1)
    np.testing.assert_allclose(head.weight, logistic.coef_[0], atol=1e-4)
    assert head.bias == pytest.approx(logistic.intercept_[0], abs=1e-4)


def test_saved_head_is_what_the_product_reads(tmp_path: Path) -> None:
    heads.save_head(LinearHead(np.array([0.5, -1.25]), 3.5), tmp_path / "head.pth")
    head = load_head(tmp_path / "head.pth")
    assert head.weight.tolist() == [0.5, -1.25]
    assert rate(np.float32([[1, 0]]), head).tolist() == [4.0]


def test_commands_train_heads_and_measure_them(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["heads", "--out", str(trained), "--rows", "100"])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(trained / "heads")
    encoder = open_clip_encoder(architecture=str(trained / "clip"), device="cpu")
    score = aesthetic(encoder=encoder, version="v1", weights=str(trained / "heads" / "aesthetic.pth"))
    assert score.columns[0].name == "aesthetic_v1"
    monkeypatch.setattr(ratings, "RESAMPLES", 20)
    found = measure_clip(trained / "clip", rows=40, web_rows=100) | measure_heads(
        trained / "clip", trained / "heads", rows=60
    )
    assert found["image_to_text_recall_at_1"].value < 0.3
    assert found["image_to_text_recall_at_1"].n == 40
    assert found["flagged_auc"].n == 60
    for figure in found.values():
        assert figure.ci_low <= figure.value <= figure.ci_high


def test_command_hands_on_what_is_given_and_leaves_the_rest_to_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(clip, "train_clip", lambda *args, **options: calls.append((args, options)))
    options = ["--out", str(tmp_path), "--steps", "7", "--learning-rate", "0.001", "--threads", "2"]
    result = CliRunner().invoke(main, ["clip", *options])
    assert result.exit_code == 0, result.output
    assert calls == [((tmp_path, ClipTraining(steps=7, learning_rate=1e-3)), {"threads": 2, "check_every": 50})]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_command_ends_with_one_line_and_its_own_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Stopped(number, "at step 3 of 4")

    monkeypatch.setattr(clip, "train_clip", stop)
    result = CliRunner().invoke(main, ["clip", "--out", str(tmp_path)])
    assert result.exit_code == 128 + number
    assert (result.stdout, result.stderr) == ("", "stopped at step 3 of 4; the same command goes on\n")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["measure", "--out", "nowhere"], "nowhere: no finished models, as clip/open_clip_config.json would be"),
        (["diffusion", "--out", "o", "--pairs", ".", "--vae", ".", "--clip", "."], "not a finished dataset directory"),
        (["clip", "--out", "file/below", "--rows", "8", "--batch", "8"], "file/below: the directory cannot be made"),
        (["heads", "--out", "nowhere"], "nowhere/clip: there is no open_clip_config.json; give the folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1, result.exception
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("rate", ["0", "-0.1", "nan", "inf"])
def test_learning_rate_is_a_positive_finite_number(tmp_path: Path, rate: str) -> None:
    for command in ("clip", "detector"):
        result = CliRunner().invoke(main, [command, "--out", str(tmp_path), f"--learning-rate={rate}"])
        assert result.exit_code == 2
        assert "is not a positive finite number" in result.stderr


def test_damaged_note_of_an_earlier_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{", encoding="utf-8")
    with pytest.raises(ShardError, match=r"training\.json: damaged"):
        train(tmp_path)


def test_help_loads_no_torch() -> None:
    script = "import sys; from diptych.demo.training.__main__ import main; print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(Path(diptych.demo.__file__).parents[2])}
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.slow
def test_150_steps_beat_chance_by_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "CHECK_ROWS", 500)
    train_clip(tmp_path, ClipTraining(steps=150, batch=128, rows=8192, warm_up=50), threads=1, check_every=150)
    last = json.loads((tmp_path / "curve.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["recall_at_1"] > 0.1  # chance is 0.002
