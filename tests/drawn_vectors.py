"""Vectors for tests of what compares sets of them."""

import numpy as np


def draw(n: int, dim: int, seed: int, *, shift: float = 0.0, kind: str = "features") -> np.ndarray:
    """Features as networks make them: not negative, correlated, of very different spread."""
    dice = np.random.default_rng(seed)
    mixing = np.random.default_rng(1000).standard_normal((dim, dim)) / np.sqrt(dim)
    raw = dice.standard_normal((n, dim)) * np.arange(1, dim + 1) ** -0.5 @ mixing + shift
    return np.maximum(raw, 0.0) if kind == "features" else raw


def flat(n: int, dim: int, seed: int) -> np.ndarray:
    """Vectors as wide in one direction as in any other: there the effective dimensions are nearly all."""
    return np.random.default_rng(seed).standard_normal((n, dim))


def names(n: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{row}" for row in range(n)]


def fired(n: int, dim: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Normal numbers, those below 0 cut to it."""
    return np.maximum(np.random.default_rng(seed).standard_normal((n, dim)) + shift, 0.0).astype(np.float32)


def far_off(n: int, dim: int, seed: int) -> np.ndarray:
    """Vectors whose distances are far below the rounding of their products in float32, most of which are about 1e6."""
    return (flat(n, dim, seed) / dim**0.5 + 1000.0 / dim**0.5).astype(np.float32)
