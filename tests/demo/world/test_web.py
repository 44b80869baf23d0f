import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from diptych.data import images
from diptych.demo.world.drawing import draw
from diptych.demo.world.plan import WebRow, plan_rows
from diptych.demo.world.web import DemoWeb, bytes_of
from diptych.errors import ConfigError, DecodeError

ROWS = plan_rows(120)


@pytest.fixture(scope="module")
def web() -> Iterator[DemoWeb]:
    with DemoWeb(ROWS) as serving:
        yield serving


def ask(url: str, timeout_s: float = 10.0) -> tuple[int, bytes, dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def status_of(url: str) -> str:
    """Return what a downloader says of a URL, in the words of the truth table."""
    try:
        code, body, headers = ask(url, timeout_s=0.5)
    except TimeoutError:
        return "timeout"
    if code != 200:
        return {404: "not_found", 410: "gone", 500: "server_error"}[code]
    if "noai" in headers.get("X-Robots-Tag", ""):
        return "opted_out"
    try:
        images.inspect(body)
        images.decode(body)
    except DecodeError as error:
        return error.code
    return "ok"


def told_scenes(rows: Sequence[WebRow], folder: Path) -> list[dict[str, Any]]:
    """Return the scenes in the truth table of these rows."""
    DemoWeb(rows).write_tables(folder)
    return [json.loads(told) for told in pq.read_table(folder / "truth.parquet")["scene"].to_pylist()]


def boxes_of(truth: dict[str, Any]) -> list[list[int]]:
    return [seen["box"] for seen in (*truth["things"], *([truth["figure"]] if truth["figure"] else []))]


def seen_box(row: WebRow, number: int) -> npt.NDArray[np.int64]:
    """Return the box of the pixels that are served otherwise where the scene lacks its thing of a number, or figure."""
    shown = row.scene
    without = replace(shown, things=shown.things[:number] + shown.things[number + 1 :], relation=None, figure=None)
    first, second = (served_pixels(one) for one in (row, replace(row, scene=without)))
    bottoms, rights = np.nonzero(np.abs(first - second).max(axis=2) > 16)
    return np.array([rights.min(), bottoms.min(), rights.max() + 1, bottoms.max() + 1])


def served_pixels(row: WebRow) -> npt.NDArray[np.int16]:
    return np.asarray(images.decode(DemoWeb([row]).response(row.path).body)).astype(np.int16)


def outsets(outer: Sequence[int], inner: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return by how much a box lies outside another: left, top, right, bottom."""
    return np.asarray((inner - np.array(outer)) * (1, 1, -1, -1))


def test_web_serves_what_the_truth_says(web: DemoWeb) -> None:
    assert {web.url(row): status_of(web.url(row)) for row in ROWS} == {web.url(row): row.status for row in ROWS}


def test_served_picture_is_the_scene_of_its_row(web: DemoWeb) -> None:
    row = next(row for row in ROWS if row.format == "png" and not row.fault)
    decoded = images.decode(ask(web.url(row))[1])
    assert np.array_equal(np.asarray(decoded), draw(row.scene, row.size_px))


def test_exact_duplicates_are_the_same_bytes_under_other_urls(web: DemoWeb) -> None:
    for row in ROWS:
        if row.fault == "exact_duplicate":
            assert ask(web.url(row))[1] == ask(web.url(ROWS[row.group]))[1]
            assert web.url(row) != web.url(ROWS[row.group])


def test_near_duplicates_are_other_bytes_of_one_picture(web: DemoWeb) -> None:
    near = [row for row in ROWS if row.fault in ("cropped", "mirrored", "recompressed", "resized")]
    assert near
    for row in near:
        copy, original = (images.decode(bytes_of(found)) for found in (row, ROWS[row.group]))
        side = (64, 64)
        pixels = np.asarray(copy.resize(side), np.float64)
        pixels = pixels[:, ::-1] if row.fault == "mirrored" else pixels
        assert bytes_of(row) != bytes_of(ROWS[row.group])
        assert np.abs(pixels - np.asarray(original.resize(side), np.float64)).mean() < 16


def test_web_page_is_sent_as_a_jpeg(web: DemoWeb) -> None:
    row = next(row for row in ROWS if row.fault == "html")
    code, body, headers = ask(web.url(row))
    assert (code, headers["Content-Type"]) == (200, "image/jpeg")
    assert body.startswith(b"<!DOCTYPE html>")
    assert row.path.endswith(".jpg")


def test_unknown_path_is_not_found(web: DemoWeb) -> None:
    assert ask(f"http://127.0.0.1:{web.port}/nothing")[0] == 404


def test_it_answers_this_machine_only(web: DemoWeb) -> None:
    assert web.url(ROWS[0]).startswith("http://127.0.0.1:")


def test_client_that_goes_away_does_no_harm(web: DemoWeb, capfd: pytest.CaptureFixture[str]) -> None:
    for row in ROWS[:5]:
        with socket.create_connection(("127.0.0.1", web.port)) as connection:
            connection.sendall(f"GET {row.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert ask(web.url(next(row for row in ROWS if row.status == "ok")))[0] == 200
    assert capfd.readouterr().err == ""


def test_stopping_lets_go_of_clients_that_wait() -> None:
    row = next(row for row in ROWS if row.fault == "timeout")
    with DemoWeb([row]) as web:
        connection = socket.create_connection(("127.0.0.1", web.port), timeout=5)
        connection.sendall(f"GET {row.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        start = perf_counter()
    with connection, suppress(ConnectionResetError):  # if it had not even been accepted yet
        assert connection.recv(1) == b""
    assert perf_counter() - start < 3


def test_port_of_an_earlier_web_can_be_taken_again() -> None:
    with DemoWeb(ROWS[:1]) as first:
        port = first.port
    with DemoWeb(ROWS[:1], port=port) as second:
        assert second.port == port


def test_taken_port_is_said_in_one_line(web: DemoWeb) -> None:
    with pytest.raises(
        ConfigError, match=rf"cannot serve on 127.0.0.1:{web.port}: .*; end the other program"
    ) as caught:
        DemoWeb(ROWS[:1], port=web.port).__enter__()
    assert "\n" not in str(caught.value)


def test_tables_hold_a_row_for_each_url_in_one_order(web: DemoWeb, tmp_path: Path) -> None:
    path = web.write_tables(tmp_path / "web")
    urls, truth = pq.read_table(path), pq.read_table(tmp_path / "web" / "truth.parquet")
    assert urls.column_names == ["url", "caption"]
    assert urls["url"].to_pylist() == truth["url"].to_pylist() == [web.url(row) for row in ROWS]
    assert urls["caption"].to_pylist() == [row.caption for row in ROWS]
    assert truth["faults"].to_pylist() == [row.faults for row in ROWS]
    assert truth["status"].to_pylist() == [row.status for row in ROWS]
    assert truth["group"].to_pylist() == [row.group for row in ROWS]
    assert list((tmp_path / "web").glob("*.part")) == []


def test_truth_of_a_scene_is_in_the_table_as_json(web: DemoWeb, tmp_path: Path) -> None:
    web.write_tables(tmp_path)
    truth = pq.read_table(tmp_path / "truth.parquet").to_pylist()
    for row, told in zip(ROWS, truth, strict=True):
        scene = json.loads(told["scene"])
        assert scene["size_px"] == images.decode(bytes_of(row)).width
        assert {thing["kind"] for thing in scene["things"]} == {thing.kind for thing in row.scene.things}
        figure = row.scene.figure
        assert (scene["figure"] is None) == (figure is None)
        assert figure is None or (scene["things"], scene["counts"]) == ([], [])
        assert (told["occupation"], told["attribute"]) == ((figure.occupation, figure.hat) if figure else (None, None))


@pytest.mark.parametrize("fault", ["cropped", "exact_duplicate", "mirrored", "recompressed", "resized", "tiny"])
def test_boxes_are_where_things_are_in_the_served_picture(fault: str, tmp_path: Path) -> None:
    rows = [row for row in plan_rows(600) if row.fault == fault]
    assert len(rows) > 10
    for row, truth in zip(rows, told_scenes(rows, tmp_path), strict=True):
        served, clean = replace(row, format="png"), replace(row, format="png", fault="")
        side, size = truth["size_px"], row.size_px
        assert images.decode(DemoWeb([row]).response(row.path).body).size == (side, side)
        scale = side / size if fault in ("resized", "tiny") else 1.0
        pairs = zip(boxes_of(truth), boxes_of(told_scenes([clean], tmp_path)[0]), strict=True)
        for number, (box, clean_box) in enumerate(pairs):
            spare = outsets(box, seen_box(served, number))
            assert spare.min() >= 0
            # Around the thing there is as much left as in the picture that was not spoilt, but not beyond the edge.
            expected = outsets(clean_box, seen_box(clean, number)) * scale
            expected = expected[[2, 1, 0, 3]] if fault == "mirrored" else expected
            is_cut = fault == "cropped" and np.isin(box, (0, side))
            tolerance = 0.0 if scale == 1.0 else 1.0 + max(scale, 1.0)  # resampling blurs over a pixel of either
            assert (np.abs(spare - expected) <= np.where(is_cut, np.inf, tolerance)).all()


def test_same_port_gives_the_same_tables_byte_for_byte(tmp_path: Path) -> None:
    first, second = DemoWeb(120, port=4000), DemoWeb(120, port=4000)
    tables = [web.write_tables(tmp_path / name) for web, name in ((first, "a"), (second, "b"))]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_asking_twice_gives_the_same_bytes() -> None:
    web = DemoWeb([replace(ROWS[0], fault="noisy")])
    assert web.response(ROWS[0].path) == web.response(ROWS[0].path)
