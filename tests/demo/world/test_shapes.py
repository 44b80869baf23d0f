import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.demo.world.shapes import (
    Plane,
    below,
    box,
    circle,
    ellipse,
    intersection,
    polygon,
    polyline,
    ring,
    segment,
    union,
    without,
)

coordinates = st.floats(-2.0, 2.0, allow_nan=False)


def at(*points: tuple[float, float]) -> Plane:
    """Return the points as a plane of one row."""
    values = np.array(points, np.float64)
    return Plane(values[np.newaxis, :, 0], values[np.newaxis, :, 1])


def grid(count: int = 41) -> Plane:
    values = np.linspace(-2.0, 2.0, count)
    return Plane(values[np.newaxis, :], values[:, np.newaxis])


def test_circle_is_the_distance_to_its_centre_less_the_radius() -> None:
    assert circle(at((3, 4), (0, 0), (1, 0)), (0, 0), 1).tolist() == [[4.0, -1.0, 0.0]]


def test_ring_has_an_inner_and_an_outer_edge() -> None:
    assert ring(at((0.9, 0), (1.1, 0), (1.0, 0)), (0, 0), 1.0, 0.2)[0] == pytest.approx([0, 0, -0.1])


def test_box_is_exact_at_sides_and_corners() -> None:
    assert box(at((3, 0), (0, 3), (4, 5), (0, 0)), (0, 0), (1, 2))[0] == pytest.approx([2, 1, math.sqrt(18), -1])


def test_rounded_corner_cuts_the_tip_and_leaves_the_sides() -> None:
    plain, rounded = (box(at((1, 1), (1, 0)), (0, 0), (1, 1), corner=corner)[0] for corner in (0.0, 0.5))
    assert plain == pytest.approx([0, 0])
    assert rounded == pytest.approx([0.5 * (math.sqrt(2) - 1), 0])


def test_segment_has_round_ends() -> None:
    assert segment(at((0.5, 1), (3, 0), (-1, 0)), (0, 0), (1, 0), 0.25)[0] == pytest.approx([0.75, 1.75, 0.75])


def test_polyline_is_the_union_of_its_segments() -> None:
    points = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    parts = union(segment(grid(), points[0], points[1], 0.1), segment(grid(), points[1], points[2], 0.1))
    assert np.array_equal(polyline(grid(), points, 0.1), parts)


def test_ellipse_with_equal_radii_is_a_circle_at_its_edge() -> None:
    plane = at((1.01, 0), (0, 0.99), (0.6, 0.8))
    assert ellipse(plane, (0, 0), (1, 1))[0] == pytest.approx(circle(plane, (0, 0), 1)[0], abs=2e-4)


@given(angle=st.floats(0, 6.3), a=st.floats(0.2, 1.5), b=st.floats(0.2, 1.5))
def test_ellipse_is_zero_on_its_outline(angle: float, a: float, b: float) -> None:
    assert abs(ellipse(at((a * math.cos(angle), b * math.sin(angle))), (0, 0), (a, b))[0, 0]) < 1e-9


def test_inside_of_an_ellipse_is_negative_even_at_its_centre() -> None:
    assert ellipse(at((0, 0)), (0, 0), (1, 0.5))[0, 0] < -1


@pytest.mark.reference
def test_polygon_with_four_corners_is_the_box_of_another_formula() -> None:
    corners = ((-1.0, -0.5), (1.0, -0.5), (1.0, 0.5), (-1.0, 0.5))
    for points in (corners, corners[::-1]):
        assert np.allclose(polygon(grid(), points), box(grid(), (0, 0), (1.0, 0.5)), atol=1e-12)


@pytest.mark.reference
@given(u=coordinates, v=coordinates)
def test_polygon_agrees_with_winding_numbers_and_sampled_edges(u: float, v: float) -> None:
    points = [(0.0, -1.0), (0.3, -0.2), (1.2, 0.1), (0.2, 0.4), (0.4, 1.1), (-0.6, 0.3)]
    found = polygon(at((u, v)), points)[0, 0]
    turned, nearest = 0.0, math.inf
    for (start_u, start_v), (end_u, end_v) in zip(points, points[1:] + points[:1], strict=True):
        first, second = math.atan2(start_v - v, start_u - u), math.atan2(end_v - v, end_u - u)
        turned += (second - first + math.pi) % (2 * math.pi) - math.pi
        steps = [step / 400 for step in range(401)]
        nearest = min(
            nearest,
            *(math.hypot(start_u + s * (end_u - start_u) - u, start_v + s * (end_v - start_v) - v) for s in steps),
        )
    assert abs(found) == pytest.approx(nearest, abs=5e-3)
    if nearest > 5e-3:
        assert (found < 0) == (abs(turned) > math.pi)


@given(u=coordinates, v=coordinates, tangent=st.integers(-20, 20))
def test_turning_keeps_lengths_and_turning_back_restores(u: float, v: float, tangent: int) -> None:
    plane = at((u, v))
    turned = plane.turned(tangent / 64)
    back = turned.turned(-tangent / 64)
    assert circle(turned, (0, 0), 0)[0] == pytest.approx(circle(plane, (0, 0), 0)[0], abs=1e-12)
    assert (back.u[0, 0], back.v[0, 0]) == pytest.approx((u, v), abs=1e-12)


def test_tangent_of_half_the_angle_turns_by_the_angle() -> None:
    turned = at((1.0, 0.0)).turned(math.tan(math.radians(15)))
    assert (turned.u[0, 0], -turned.v[0, 0]) == pytest.approx((math.cos(math.pi / 6), math.sin(math.pi / 6)))


def test_mirrored_plane_exchanges_left_and_right() -> None:
    assert circle(at((1, 0)).mirrored(), (-1, 0), 0.0).tolist() == [[0.0]]


def test_shapes_combine_as_sets() -> None:
    plane = at((0, 0), (1, 0), (2, 0))
    left, right = circle(plane, (0, 0), 1.5), circle(plane, (2, 0), 1.5)
    assert (union(left, right) < 0).tolist() == [[True, True, True]]
    assert (intersection(left, right) < 0).tolist() == [[False, True, False]]
    assert (without(left, right) < 0).tolist() == [[True, False, False]]


def test_below_is_where_the_second_axis_is_larger() -> None:
    assert (below(at((0, 1), (0, -1)), 0.0) < 0).tolist() == [[True, False]]
