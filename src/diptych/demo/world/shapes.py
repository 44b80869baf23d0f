"""Shapes as signed distances: how far each point of a plane is from an outline, negative inside.

Decides nothing about what is drawn. Distances are in the units of the plane; they are exact near the outline (which is
all that smooth edges and pen strokes need) and may be too small deep inside a union. The second axis points down.

Only +, -, *, /, sqrt, comparisons and conversions are used, each of which IEEE 754 rounds in one way, so that the same
numbers come out on every machine; sums over axes and products of matrices, whose order is free, do not occur.

Sources: the distance formulas are textbook geometry (distance to a point, a segment, a box); ``ellipse`` is the first
step of Newton's method, f / |grad f|.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Point: TypeAlias = tuple[float, float]


class Plane(NamedTuple):
    """Coordinates of the points that are looked at: two float64 arrays that broadcast to (H, W)."""

    u: Floats
    v: Floats

    def moved(self, u: float, v: float) -> "Plane":
        """Return the plane as seen from the point (u, v)."""
        return Plane(self.u - u, self.v - v)

    def turned(self, half_tangent: float) -> "Plane":
        """Return the plane turned about its origin by an angle, given as the tangent of half of it.

        The tangent makes sine and cosine rational (Weierstrass), hence the same on every machine.
        """
        square = half_tangent * half_tangent
        cosine, sine = (1.0 - square) / (1.0 + square), 2.0 * half_tangent / (1.0 + square)
        return Plane(self.u * cosine + self.v * sine, self.v * cosine - self.u * sine)

    def mirrored(self) -> "Plane":
        """Return the plane with left and right exchanged."""
        return Plane(-self.u, self.v)


def circle(plane: Plane, centre: Point, radius: float) -> Floats:
    """Return the distance to a circle.

    >>> circle(Plane(np.array([3.0]), np.array([4.0])), (0, 0), 1).tolist()
    [4.0]
    """
    u, v = plane.moved(*centre)
    return np.sqrt(u * u + v * v) - radius


def ellipse(plane: Plane, centre: Point, radii: Point) -> Floats:
    """Return the distance to an ellipse with upright axes, to first order."""
    u, v = plane.moved(*centre)
    scaled_u, scaled_v = u / radii[0], v / radii[1]
    slope_u, slope_v = scaled_u / radii[0], scaled_v / radii[1]
    slope = np.sqrt(slope_u * slope_u + slope_v * slope_v)
    return (scaled_u * scaled_u + scaled_v * scaled_v - 1.0) / (2.0 * np.maximum(slope, 1e-6))


def box(plane: Plane, centre: Point, half: Point, *, corner: float = 0.0) -> Floats:
    """Return the distance to an upright box of half width and half height ``half``, corners rounded by ``corner``."""
    u, v = plane.moved(*centre)
    beyond_u, beyond_v = np.abs(u) - (half[0] - corner), np.abs(v) - (half[1] - corner)
    out_u, out_v = np.maximum(beyond_u, 0.0), np.maximum(beyond_v, 0.0)
    outside: Floats = np.sqrt(out_u * out_u + out_v * out_v)
    return outside + np.minimum(np.maximum(beyond_u, beyond_v), 0.0) - corner


def segment(plane: Plane, start: Point, end: Point, radius: float) -> Floats:
    """Return the distance to a line of thickness ``2 * radius`` with round ends."""
    u, v = plane.moved(*start)
    along_u, along_v = end[0] - start[0], end[1] - start[1]
    share = np.minimum(np.maximum((u * along_u + v * along_v) / (along_u * along_u + along_v * along_v), 0.0), 1.0)
    off_u, off_v = u - share * along_u, v - share * along_v
    return np.sqrt(off_u * off_u + off_v * off_v) - radius


def polyline(plane: Plane, points: Sequence[Point], radius: float) -> Floats:
    """Return the distance to a chain of segments of thickness ``2 * radius``."""
    return union(*(segment(plane, start, end, radius) for start, end in pairwise(points)))


def polygon(plane: Plane, points: Sequence[Point], *, corner: float = 0.0) -> Floats:
    """Return the distance to a simple polygon, grown by ``corner`` so that its corners are round."""
    corners = np.array(points, np.float64)[:, :, np.newaxis, np.newaxis]
    ahead = np.roll(corners, -1, axis=0) - corners
    u, v = plane.u - corners[:, 0], plane.v - corners[:, 1]
    along_u, along_v = ahead[:, 0], ahead[:, 1]
    share = (u * along_u + v * along_v) / (along_u * along_u + along_v * along_v)
    share = np.minimum(np.maximum(share, 0.0), 1.0)
    off_u, off_v = u - share * along_u, v - share * along_v
    distance: Floats = np.sqrt((off_u * off_u + off_v * off_v).min(axis=0))
    # A point is inside when a ray from it crosses an odd number of edges. The end of an edge must be the start of the
    # next one to the last bit, or a ray through a corner counts wrong.
    starts_above = v >= 0.0
    is_crossing = starts_above != np.roll(starts_above, -1, axis=0)
    is_left = (along_u * v - along_v * u) * np.where(along_v < 0.0, -1.0, 1.0) > 0.0
    is_inside = np.logical_xor.reduce(is_crossing & is_left, axis=0)
    return np.where(is_inside, -distance, distance) - corner


def ring(plane: Plane, centre: Point, radius: float, thickness: float) -> Floats:
    """Return the distance to a circle's line of the given thickness."""
    return np.abs(circle(plane, centre, radius)) - thickness / 2.0


def below(plane: Plane, level: float) -> Floats:
    """Return the distance to everything below the horizontal line ``v = level``."""
    return np.asarray(level - plane.v)


def union(*distances: Floats) -> Floats:
    """Return the distance to what is in any of the shapes."""
    joined = distances[0]
    for distance in distances[1:]:
        joined = np.minimum(joined, distance)
    return joined


def intersection(*distances: Floats) -> Floats:
    """Return the distance to what is in all of the shapes."""
    joined = distances[0]
    for distance in distances[1:]:
        joined = np.maximum(joined, distance)
    return joined


def without(distance: Floats, hole: Floats) -> Floats:
    """Return the distance to a shape with another one cut out of it."""
    return np.maximum(distance, -hole)
