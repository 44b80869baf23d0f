import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from diptych.evaluate.statistics.agreement import Words, clustered_kappa, is_said


def said(words: str) -> Words:
    return np.array([None if word == "." else word for word in words], object)


def drawn(seed: int, n: int = 400, words: str = "abc") -> tuple[Words, Words]:
    random = np.random.default_rng(seed)
    truth = random.choice(list(words), n, p=[0.5, 0.3, 0.2][: len(words)] if len(words) == 3 else None)
    sides = [np.where(random.random(n) < wrong, random.choice(list(words), n), truth) for wrong in (0.2, 0.4)]
    return sides[0].astype(object), sides[1].astype(object)


@pytest.mark.reference
@pytest.mark.parametrize("words", ["ab", "abc"])
def test_kappa_is_that_of_scikit_learn(words: str) -> None:
    a, b = drawn(1, words=words)
    found = clustered_kappa(a, b, np.arange(len(a)))
    assert found.value == pytest.approx(cohen_kappa_score(a.tolist(), b.tolist()))


def fleiss_error(a: Words, b: Words) -> float:
    """Return the standard error of Fleiss, Cohen and Everitt (1969, Psychological Bulletin 72, 323), equation 13."""
    words = sorted({*a, *b})
    table = np.array([[np.mean((a == one) & (b == other)) for other in words] for one in words])
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    o, e = np.trace(table), rows @ columns
    own = sum(table[k, k] * ((1 - e) - (rows[k] + columns[k]) * (1 - o)) ** 2 for k in range(len(words)))
    off = sum(table[k, m] * (rows[m] + columns[k]) ** 2 for k in range(len(words)) for m in range(len(words)) if k != m)
    return float(np.sqrt((own + (1 - o) ** 2 * off - (o * e - 2 * e + o) ** 2) / (len(a) * (1 - e) ** 4)))


@pytest.mark.parametrize("n", [10, 50, 5000])
def test_without_clusters_the_error_is_the_published_one_but_for_the_few(n: int) -> None:
    a, b = (said("yyyynnnnyn"), said("yyynnnnnny")) if n == 10 else drawn(2, n)
    expected = fleiss_error(a, b) * (n / (n - 1)) ** 0.5
    assert clustered_kappa(a, b, np.arange(n)).se == pytest.approx(expected, rel=1e-9)


def test_copies_of_things_do_not_sharpen_it() -> None:
    a, b = drawn(3, 200)
    once = clustered_kappa(a, b, np.arange(200))
    thrice = clustered_kappa(np.repeat(a, 3), np.repeat(b, 3), np.repeat(np.arange(200), 3))
    assert (thrice.value, thrice.se) == (pytest.approx(once.value), pytest.approx(once.se))
    assert (thrice.n, thrice.n_clusters) == (600, 200)


def test_what_one_does_not_judge_is_left_out_and_counted() -> None:
    a, b = said("yyn.ny"), said("ynny.y")
    assert is_said(a, b).tolist() == [True, True, True, False, False, True]
    found = clustered_kappa(a, b, np.arange(6))
    assert (found.n, found.n_unscored) == (4, 2)
    assert found.value == pytest.approx(0.5)


def test_they_may_agree_less_than_chance_would_and_never_by_more_than_1() -> None:
    opposite = clustered_kappa(said("yyyynnnn"), said("nnnnyyyy"), np.arange(8))
    assert opposite.value == -1.0
    found = clustered_kappa(said("yyyynnny"), said("yyyynnnn"), np.arange(8))
    assert found.ci_high == 1.0


@pytest.mark.parametrize(
    ("a", "b", "value"), [("yyyy", "yyyy", np.nan), ("yn" * 9, "yn" * 9, 1.0), ("..", "yn", np.nan), ("", "", np.nan)]
)
def test_where_nothing_varies_there_is_no_interval(a: str, b: str, value: float) -> None:
    found = clustered_kappa(said(a), said(b), np.arange(len(a)))
    assert found.value == pytest.approx(value, nan_ok=True)
    assert np.isnan(found.ci_low)


@pytest.mark.parametrize(("a", "b"), [("yyyynn", "yyyyyy"), ("nnnnnn", "ynynyy"), ("abcabc", "aaaaaa")])
def test_where_one_says_one_word_of_everything_there_is_no_kappa(a: str, b: str) -> None:
    found = clustered_kappa(said(a), said(b), [0, 0, 1, 1, 2, 2])
    assert np.isnan(found[:4]).all(), "it would be 0 whatever the other says, with an interval of rounding"
    assert (found.n, found.n_clusters) == (6, 3)


def test_where_each_prompt_says_the_same_rounding_is_no_interval() -> None:
    """At kappa 0 there is no number against which the rounding would be small."""
    found = clustered_kappa(said("yyyyyynnn" * 5), said("yyyynnyyn" * 5), np.repeat(np.arange(5), 9))
    assert found.value == pytest.approx(0.0)
    assert found.se == 0.0
    assert np.isnan(found.ci_low)


@pytest.mark.slow
@pytest.mark.parametrize(("prompts", "images"), [(30, 4), (100, 1), (100, 4)])
def test_intervals_hold_the_truth(prompts: int, images: int) -> None:
    random = np.random.default_rng(5)

    def judged(count: int) -> tuple[Words, Words]:
        chance = np.clip(0.75 + 0.5 * (random.random(count) - 0.5), 0.0, 1.0)[:, None]
        hard = 0.3 * random.random(count)[:, None]
        truth = random.random((count, images)) < chance
        sides = [truth ^ (random.random((count, images)) < hard * part) for part in (0.5, 1.0)]
        return tuple(np.where(side.ravel(), "y", "n").astype(object) for side in sides)  # type: ignore[return-value]

    truth = cohen_kappa_score(*(side.tolist() for side in judged(100_000)))
    units = np.repeat(np.arange(prompts), images)
    found = [clustered_kappa(*judged(prompts), units) for _ in range(1000)]
    assert 0.92 <= np.mean([one.ci_low <= truth <= one.ci_high for one in found]) <= 0.97
