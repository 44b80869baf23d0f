import numpy as np
import pytest
from drawn import picture
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.data import images
from diptych.encoders import make_encoder
from diptych.encoders.projection import projection_encoder
from diptych.errors import ConfigError

ENCODER = projection_encoder(dim=32)
TEXTS = st.text(st.characters(), max_size=50)


def test_vectors_have_the_shape_length_and_type_of_the_contract() -> None:
    prepared = [ENCODER.prepare(images.decode(picture(seed))) for seed in range(3)]
    for vectors in (ENCODER.images(prepared), ENCODER.texts(["a", "", "汉"])):
        assert (vectors.shape, vectors.dtype) == ((3, 32), np.dtype(np.float32))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_pictures_that_look_alike_are_near_and_others_are_not() -> None:
    same, worse, other = picture(1), picture(1, quality=30), picture(2)
    vectors = ENCODER.images([ENCODER.prepare(images.decode(data)) for data in (same, worse, other)])
    assert vectors[0] @ vectors[1] > 0.99
    assert vectors[0] @ vectors[2] < 0.9


def test_texts_that_share_words_are_near_and_others_are_not() -> None:
    near, nearer, far = ENCODER.texts(["a red ball", "a red balloon", "quite something else"])
    assert near @ nearer > 0.5 > near @ far
    assert np.array_equal(*ENCODER.texts(["A Red Ball", "a red ball"]))


@settings(deadline=None, max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_a_vector_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    together = ENCODER.texts(texts)
    alone = np.concatenate([ENCODER.texts([text]) for text in texts])
    assert np.array_equal(together, alone)
    pictures = [np.random.default_rng(len(text)).standard_normal(768).astype(np.float32) for text in texts]
    assert np.array_equal(ENCODER.images(pictures), np.concatenate([ENCODER.images([one]) for one in pictures]))


def test_lone_surrogates_and_very_long_texts_are_embedded() -> None:
    vectors = ENCODER.texts(["\ud800 half", "x" * 1_000_000, "x" * 300])
    assert np.isfinite(vectors).all()
    assert np.array_equal(vectors[1], vectors[2])
    assert ENCODER.truncated(["x" * 300, "x" * 301]).tolist() == [False, True]
    assert ENCODER.truncated([]).shape == (0,)


def test_the_seed_and_the_length_are_the_identity() -> None:
    identities = [projection_encoder(dim=dim, seed=seed).identity for dim in (8, 9) for seed in (0, 1)]
    assert len({str(identity) for identity in identities}) == 4
    assert projection_encoder(dim=8).identity == make_encoder("projection", {"dim": 8}).identity
    prepared = [ENCODER.prepare(images.decode(picture(0)))]
    assert not np.allclose(ENCODER.images(prepared), projection_encoder(dim=32, seed=1).images(prepared))


@pytest.mark.parametrize("options", [{"dim": 0}, {"dim": -1}, {"seed": -1}, {"seed": 2**64}])
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"encoder 'projection': dim .* must be at least 1, and seed"):
        make_encoder("projection", options)
