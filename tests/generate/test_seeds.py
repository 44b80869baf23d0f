"""Seeds: what they follow from, and what they do not."""

from diptych.generate.seeds import seed_of


def test_a_seed_has_63_bits_and_follows_from_base_set_prompt_and_sample_alone() -> None:
    seeds = {
        seed_of(base, name, prompt, sample)
        for base in range(3)
        for name in ("a", "b")
        for prompt in ("1", "2")
        for sample in range(4)
    }
    assert len(seeds) == 3 * 2 * 2 * 4
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**61
    assert seed_of(1, "a", "1", 0) == seed_of(1, "a", "1", 0)
    assert seed_of(0, "a", "b\x00c", 0) != seed_of(0, "a\x00b", "c", 0)
