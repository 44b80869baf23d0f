"""How two sets of vectors go together best: what a Fréchet distance, its error and its size bias are all made of.

With covariances S = K'K and S_r = K_r'K_r the roots s are the singular values of K K_r'; their sum is the trace of
(S S_r)^(1/2). The optimal transport T between two normal distributions (Olkin and Pukelsheim 1982, theorem 4) is
diagonal in the singular vectors: in those coordinates a vector of either set has the variances s, its squared length
being x'Tx, on the other side z'T^(-1)z. All by symmetric matrices in float64; the usual sqrtm and eigvals of S S_r are
slower and, with fewer images than dimensions, wrong in the sixth digit, because a thousand eigenvalues that should be 0
are 1e-16.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg

from diptych.evaluate.statistics.moments import TORCH_DIM, Floats, Moments, eigenvalues

# What a sum of roots may lose by rounding before it is computed in a slower way, as a share of itself.
ROOT_TOLERANCE = 1e-9
GRAM_TOLERANCE = 1e-10
# Of the largest squared root: smaller ones are rounding, and their directions noise.
RANK_TOLERANCE = 1e-12


class Reduction(NamedTuple):
    """U S U' = Q T Q' with T tridiagonal: as LAPACK's dsytrd leaves it."""

    reflectors: Floats
    scales: Floats
    diagonal: Floats
    beside: Floats


@dataclass(frozen=True)
class Coupling:
    """Two sets of vectors by their moments.

    Attributes:
        left: Moments of the one.
        right: Of the other.
    """

    left: Moments
    right: Moments

    @cached_property
    def trace_of_root(self) -> float:
        """Return tr (S S_r)^(1/2); where rounding of small roots counts, from the product of the roots themselves."""
        if self._is_regular:
            found = _sum_of_roots(self._squares, ROOT_TOLERANCE)
        elif self.left.is_root and self.right.is_root:
            found = None
        else:
            small, large = (self.left, self.right) if self.left.is_root else (self.right, self.left)
            found = _sum_of_roots(eigenvalues(small.root @ large.covariance @ small.root.T), ROOT_TOLERANCE)
        return _sum_of_singular_values(self.left.root @ self.right.root.T) if found is None else found

    @cached_property
    def roots(self) -> Floats:
        """float64 (R,), ascending: the singular values that are not rounding; none where a covariance is 0."""
        squares = self._squares if self._is_regular else self._pair[0]
        kept: Floats = np.sqrt(squares[_is_kept(squares)])
        return kept

    @property
    def effective_dim(self) -> float:
        """(sum s^(1/2))^2 / sum s in [1, R]: the directions that count; 0 where a covariance is 0.

        Of a set and itself that is (tr S^(1/2))^2 / tr S. Of fewer vectors than dimensions it is too small.
        """
        return float(np.sqrt(self.roots).sum() ** 2 / self.roots.sum()) if len(self.roots) else 0.0

    def left_coordinates(self, centred: Floats) -> Floats:
        """Return float64 (N, R) of vectors (N, D) of the left set less its mean: of variances ``roots``."""
        if self._is_regular:
            turned = self._turn(self.right.root @ centred.T)
            return (turned / np.sqrt(self.roots)[:, np.newaxis]).T
        coordinates: Floats = centred @ self._pair[1].T
        return coordinates

    def right_coordinates(self, centred: Floats) -> Floats:
        """Return the same of vectors of the right set less its mean."""
        if self._is_regular:
            white = linalg.solve_triangular(self.right.root, centred.T, trans="T", check_finite=False)
            return (self._turn(white) * np.sqrt(self.roots)[:, np.newaxis]).T
        coordinates: Floats = centred @ self._pair[2].T
        return coordinates

    @cached_property
    def _is_regular(self) -> bool:
        """Whether both covariances are known as matrices, and the right one, which others share, has full rank."""
        return not self.left.is_root and not self.right.is_root and self.right.triangle is not None

    @cached_property
    def _reduction(self) -> Reduction:
        """Of U S U' with S_r = U'U, by LAPACK's routine for generalised eigenvalues, for a quarter of the products."""
        triangle = np.asfortranarray(self.right.root)
        product, info = linalg.lapack.dsygst(self.left.covariance.T, triangle, itype=2, lower=0)
        assert info == 0, info
        size = len(product)
        if size == 1:
            return Reduction(product, np.zeros(0), product[0], np.zeros(0))
        work = int(linalg.lapack.dsytrd_lwork(size, lower=0)[0])
        found = linalg.lapack.dsytrd(np.asfortranarray(product.T), lower=1, lwork=work, overwrite_a=1)
        reflectors, diagonal, beside, scales, info = found
        assert info == 0, info
        return Reduction(reflectors, scales, diagonal, beside)

    @cached_property
    def _squares(self) -> Floats:
        found: Floats = linalg.eigh_tridiagonal(
            self._reduction.diagonal, self._reduction.beside, eigvals_only=True, lapack_driver="sterf"
        )
        return found

    @cached_property
    def _directions(self) -> Floats:
        """The eigenvectors of the tridiagonal matrix, in the rows, of the roots that are kept."""
        found = linalg.eigh_tridiagonal(self._reduction.diagonal, self._reduction.beside, lapack_driver="stemr")[1]
        kept: Floats = np.ascontiguousarray(found[:, _is_kept(self._squares)].T)
        return kept

    def _turn(self, columns: Floats) -> Floats:
        """Return the coordinates (R, N) of columns (D, N) in the eigenvectors of U S U'."""
        turned = np.asfortranarray(columns)
        if len(turned) > 1:
            reflectors = np.asfortranarray(self._reduction.reflectors[1:, :-1])
            rest = np.asfortranarray(turned[1:])
            work = int(linalg.lapack.dormqr("L", "T", reflectors, self._reduction.scales, rest, -1)[1][0])
            rest, _, info = linalg.lapack.dormqr("L", "T", reflectors, self._reduction.scales, rest, work)
            assert info == 0, info
            turned = np.concatenate([turned[:1], rest])
        found: Floats = self._directions @ turned
        return found

    @cached_property
    def _pair(self) -> tuple[Floats, Floats, Floats]:
        """Squared roots, and what gives coordinates: with K K_r' = W s V' of the left s^(-1/2) V'K_r, else W'K."""
        product = self.left.root @ self.right.root.T
        is_wide = product.shape[0] <= product.shape[1]
        squares, vectors = _eigenvectors(product @ product.T if is_wide else product.T @ product)
        kept = _is_kept(squares)
        values, near = np.sqrt(squares[kept]), vectors[:, kept]
        far = (product.T if is_wide else product) @ near / values
        w, v = (near, far) if is_wide else (far, near)
        scale = (values**-0.5)[:, np.newaxis]
        return squares, scale * (v.T @ self.right.root), scale * (w.T @ self.left.root)


def _is_kept(squares: Floats) -> npt.NDArray[np.bool_]:
    kept: npt.NDArray[np.bool_] = squares > max(squares, default=0.0) * RANK_TOLERANCE
    return kept


def _eigenvectors(symmetric: Floats) -> tuple[Floats, Floats]:
    if len(symmetric) < TORCH_DIM:
        values, vectors = linalg.eigh(symmetric, check_finite=False)
        return values, vectors
    import torch

    found: Any = torch.linalg.eigh(torch.from_numpy(symmetric))
    return found.eigenvalues.numpy(), found.eigenvectors.numpy()


def _sum_of_singular_values(matrix: Floats) -> float:
    """Return it from the eigenvalues of the Gram matrix, or where squaring would lose digits from the matrix itself."""
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    found = _sum_of_roots(eigenvalues(gram), GRAM_TOLERANCE)
    return float(linalg.svdvals(matrix, check_finite=False).sum()) if found is None else found


def _sum_of_roots(squares: Floats, tolerance: float) -> float | None:
    """Return the sum of the roots of ascending eigenvalues; None if their rounding may change it by more than that."""
    if not len(squares):  # of a covariance that is 0
        return 0.0
    noise = 4.0 * float(np.finfo(np.float64).eps) * float(squares[-1])  # of each eigenvalue
    roots = np.sqrt(np.maximum(squares, noise))
    if not (noise > 0.0 and float((noise / (2.0 * roots)).sum()) < tolerance * float(roots.sum())):
        return None
    return float(np.sqrt(np.maximum(squares, 0.0)).sum())
