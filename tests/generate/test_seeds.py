"""Seeds: what they follow from, and what they do not."""

from itertools import product

from diptych.generate.seeds import seed_of


def test_a_seed_has_63_bits_and_follows_from_all_that_is_asked_for() -> None:
    axes = product((0, 1), ("a", "b"), (None, "", "b"), ((), ("mask:a",), ("a", "b")), (0, 1), (0, 1, 2))
    seeds = [
        seed_of(base, text, negative, images=images, ordinal=ordinal, sample=sample)
        for base, text, negative, images, ordinal, sample in axes
    ]
    assert len(set(seeds)) == len(seeds) == 2 * 2 * 3 * 3 * 2 * 3
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**61
    assert seed_of(1, "a", None) == seed_of(1, "a", None)
    assert seed_of(0, 'a", "b', None) != seed_of(0, "a", "b"), "texts do not run into each other"
