import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych import assets
from diptych.asset_table import ASSETS
from diptych.data import images
from diptych.errors import DataError
from diptych.scores import make_score
from diptych.scores.batches import Batch
from diptych.scores.nsfw_mobilenet import CLASSES, nsfw_mobilenet, prepare, resize_bilinear
from diptych.scores.weight_formats.tfjs import load_network, read_weights

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "nsfw_mobilenet.json").read_text(encoding="utf-8"))
CPU = torch.device("cpu")

Array = npt.NDArray[Any]


def batch_of(files: list[bytes | None]) -> Batch:
    image_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        "key": [str(row) for row in range(len(files))],
        "image": pa.array([{"bytes": data, "path": None} for data in files], image_type),
        "caption": pa.array([None] * len(files), pa.string()),
        "status": ["ok" if data is not None else "http_404" for data in files],
        "width": [1] * len(files),
        "height": [1] * len(files),
    }
    return Batch(pa.record_batch(columns))


@pytest.fixture(scope="module")
def weights(shared: Path) -> Path:
    return shared / "real/weights/nsfwjs-mobilenet-v2/mobilenet_v2"


@pytest.fixture(scope="module")
def photos(shared: Path) -> Path:
    return shared / "real/photos"


# --- the network again, written with numpy alone: a sum over kernel positions, channels last


def pad_same(x: Array, kernel: int, stride: int) -> Array:
    total = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[:2]]
    return np.pad(x, [(total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2), (0, 0)])


def convolve(x: Array, kernel: Array, config: Any, depthwise: bool) -> Array:
    reach, stride = kernel.shape[0], config["strides"][0]
    if config["padding"] == "same":
        x = pad_same(x, reach, stride)
    height, width = ((size - reach) // stride + 1 for size in x.shape[:2])
    total: Any = 0
    for row in range(reach):
        for column in range(reach):
            window = x[row : row + stride * height : stride, column : column + stride * width : stride][:height, :width]
            weight = kernel[row, column]
            total = total + (window * weight[:, 0] if depthwise else window @ weight)
    return np.asarray(total)


def forward(model: Any, weights: dict[str, Array], image: Array) -> Array:
    def run(layer: Any, x: Array, *others: Array) -> Array:
        kind, name, config = layer["class_name"], layer["name"], layer["config"]
        if kind == "ZeroPadding2D":
            return np.pad(x, [*config["padding"], (0, 0)])
        if kind in ("Conv2D", "DepthwiseConv2D"):
            own = weights[f"{name}/kernel" if kind == "Conv2D" else f"{name}/depthwise_kernel"]
            return convolve(x, own, config, kind == "DepthwiseConv2D")
        if kind == "BatchNormalization":
            mean, variance, gamma, beta = (
                weights[f"{name}/{key}"] for key in ("moving_mean", "moving_variance", "gamma", "beta")
            )
            return (x - mean) / np.sqrt(variance + config["epsilon"]) * gamma + beta
        if kind == "ReLU":
            return np.clip(x, 0, config["max_value"])
        if kind == "Add":
            return x + others[0]
        if kind == "AveragePooling2D":
            return x.mean(axis=(0, 1), keepdims=True)
        if kind == "Dense":
            y = x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]
            return np.maximum(y, 0) if config["activation"] == "relu" else np.exp(y) / np.exp(y).sum()
        return x.ravel() if kind == "Flatten" else x

    layers = model["modelTopology"]["model_config"]["config"]["layers"]
    values = {layers[0]["name"]: image}
    for layer in layers[1:]:
        values[layer["name"]] = run(layer, *(values[node[0]] for node in layer["inbound_nodes"][0]))
    return values[layers[-1]["name"]]


@pytest.mark.reference
def test_probabilities_are_those_of_the_network_written_in_numpy(weights: Path, photos: Path) -> None:
    model = json.loads((weights / "model.json").read_text(encoding="utf-8"))
    stored = np.frombuffer((weights / "group1-shard1of1").read_bytes(), np.uint8)
    arrays, offset = {}, 0
    for spec in model["weightsManifest"][0]["weights"]:
        size, rule = int(np.prod(spec["shape"])), spec["quantization"]
        values = stored[offset : offset + size] * rule["scale"] + rule["min"]
        arrays[spec["name"]] = values.reshape(spec["shape"]).astype(np.float32)
        offset += size
    data = (photos / "dreambooth/pink_sunglasses/00.jpg").read_bytes()
    expected = forward(model, arrays, prepare(images.decode(data)))
    found = nsfw_mobilenet(weights=str(weights), device="cpu").score(batch_of([data]))
    np.testing.assert_allclose([found[f"nsfw_{name}"][0] for name in CLASSES], expected, atol=1e-5)


@pytest.mark.reference
@settings(deadline=None, max_examples=30)
@given(height=st.integers(1, 500), width=st.integers(1, 500), size=st.sampled_from([2, 3, 224]))
def test_resize_is_torch_bilinear_with_aligned_corners(height: int, width: int, size: int) -> None:
    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None].double()
    expected = torch.nn.functional.interpolate(planes, (size, size), mode="bilinear", align_corners=True)
    np.testing.assert_allclose(resize_bilinear(pixels, size), expected[0].permute(1, 2, 0).numpy(), atol=2e-3)


def test_a_picture_of_the_networks_size_is_not_resampled() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    np.testing.assert_allclose(resize_bilinear(pixels, 224), pixels, atol=1e-3)


def test_input_lies_between_0_and_1() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 300, 3), np.uint8)
    pixels[0, 0], pixels[-1, -1] = 0, 255
    prepared = prepare(PIL.Image.fromarray(pixels))
    assert prepared.dtype == np.float32
    assert prepared.shape == (224, 224, 3)
    assert (prepared.min(), prepared.max()) == (0, 1)


# --- the score


def test_probabilities_of_real_photos_are_golden(weights: Path, photos: Path) -> None:
    cases = GOLDEN["cases"]
    score = nsfw_mobilenet(weights=str(weights), device="cpu")
    found = score.score(batch_of([(photos / case["file"]).read_bytes() for case in cases]))
    for name in CLASSES:
        expected = [case["expected"][CLASSES.index(name)] for case in cases]
        np.testing.assert_allclose(found[f"nsfw_{name}"], expected, atol=2e-3, err_msg=name)


def test_a_row_scores_the_same_in_any_batch(weights: Path, photos: Path) -> None:
    files = [path.read_bytes() for path in sorted((photos / "clip-retrieval/test_images").glob("*.jpg"))]
    score = nsfw_mobilenet(weights=str(weights), device="cpu")
    together = score.score(batch_of([*files, *files[:3]]))  # more than one run of the network
    for row, data in enumerate(files):
        alone = score.score(batch_of([data]))
        for column, values in together.items():
            assert alone[column][0] == pytest.approx(values[row], abs=1e-5), column
    reversed_ = score.score(batch_of(files[::-1]))
    np.testing.assert_allclose(reversed_["nsfw_porn"][::-1], together["nsfw_porn"][: len(files)], atol=1e-5)


def test_probabilities_sum_to_1_and_nsfw_pixels_is_porn_and_hentai(weights: Path, photos: Path) -> None:
    data = (photos / "dreambooth/cat/00.jpg").read_bytes()
    found = nsfw_mobilenet(weights=str(weights), device="cpu").score(batch_of([data]))
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    assert sum(found[f"nsfw_{name}"][0] for name in CLASSES) == pytest.approx(1, abs=1e-6)
    assert found["nsfw_pixels"] == found["nsfw_porn"] + found["nsfw_hentai"]


def test_rows_without_an_image_are_nan_and_shift_nobody(weights: Path, photos: Path) -> None:
    data = (photos / "dreambooth/cat/00.jpg").read_bytes()
    score = nsfw_mobilenet(weights=str(weights), device="cpu")
    found = score.score(batch_of([None, data, b"<html>"]))
    assert list(found) == [column.name for column in score.columns]
    for column, values in found.items():
        assert np.isnan(values).tolist() == [True, False, True], column
        assert values[1] == pytest.approx(score.score(batch_of([data]))[column][0], abs=1e-5)


def test_a_batch_without_images_loads_no_network(weights: Path) -> None:
    score = nsfw_mobilenet(weights=str(weights))
    assert np.isnan(score.score(batch_of([None]))["nsfw_pixels"]).all()
    assert "_network" not in vars(score)


def test_identity_holds_the_hash_of_every_file_and_not_the_device(weights: Path) -> None:
    by_folder = make_score("nsfw_mobilenet", {"weights": str(weights), "device": "cpu"})
    by_file = nsfw_mobilenet(weights=str(weights / "model.json"))
    published = [ASSETS[name].sha256 for name in ("nsfwjs-mobilenet-v2", "nsfwjs-mobilenet-v2-weights")]
    assert by_folder.identity == by_file.identity
    assert by_folder.identity["weights_sha256"] == published
    assert json.dumps(by_folder.identity)
    assert by_folder.reads == {"pixels"}


def test_without_weights_the_published_files_are_fetched(
    weights: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cache gives the files other names than the manifest does.
    renamed = {"nsfwjs-mobilenet-v2": tmp_path / "1-model.json", "nsfwjs-mobilenet-v2-weights": tmp_path / "2-shard"}
    for path, name in zip(renamed.values(), ("model.json", "group1-shard1of1"), strict=True):
        path.write_bytes((weights / name).read_bytes())
    monkeypatch.setattr(assets, "fetch", renamed.__getitem__)
    data = (photos / "dreambooth/cat/00.jpg").read_bytes()
    assert nsfw_mobilenet(device="cpu").score(batch_of([data]))["nsfw_neutral"][0] > 0.5


def test_a_used_score_survives_the_way_to_a_worker(weights: Path, photos: Path) -> None:
    data = (photos / "dreambooth/cat/00.jpg").read_bytes()
    score = nsfw_mobilenet(weights=str(weights), device="cpu")
    before = score.score(batch_of([data]))
    after = pickle.loads(pickle.dumps(score)).score(batch_of([data]))
    assert after["nsfw_neutral"] == before["nsfw_neutral"]


# --- single layers, with known numbers


def write_model(folder: Path, layers: list[Any], arrays: dict[str, Any], size: int = 4, channels: int = 1) -> Path:
    start = {"name": "input", "class_name": "InputLayer", "config": {"batch_input_shape": [None, size, size, channels]}}
    entries, before = [{**start, "inbound_nodes": []}], "input"
    for kind, config in layers:
        name = kind.lower()
        entries.append({"name": name, "class_name": kind, "config": config, "inbound_nodes": [[[before, 0, 0, {}]]]})
        before = name
    values = {name: np.asarray(array, "<f4") for name, array in arrays.items()}
    specs = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in values.items()]
    topology = {"model_config": {"config": {"layers": entries, "output_layers": [[before, 0, 0]]}}}
    manifest = [{"paths": ["shard"], "weights": specs}]
    (folder / "shard").write_bytes(b"".join(array.tobytes() for array in values.values()))
    (folder / "model.json").write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))
    return folder / "model.json"


def run(model: Path, image: Array) -> Array:
    return load_network(model, [model.parent / "shard"], CPU)(np.float32(image))


CONVOLUTION = {"strides": [2, 2], "dilation_rate": [1, 1], "padding": "same", "activation": "linear"}


def test_same_padding_puts_the_odd_pixel_after(tmp_path: Path) -> None:
    model = write_model(tmp_path, [("Conv2D", CONVOLUTION)], {"conv2d/kernel": np.ones((3, 3, 1, 1))})
    # With the padding before, the corner of 4 would come first.
    assert run(model, np.ones((1, 4, 4, 1)))[0, 0].tolist() == [[9, 6], [6, 4]]


def test_valid_padding_and_bias_and_activation(tmp_path: Path) -> None:
    config = {**CONVOLUTION, "padding": "valid", "activation": "relu"}
    arrays = {"conv2d/kernel": np.float32([[[[1, -1]]]]), "conv2d/bias": [1, 1]}
    found = run(write_model(tmp_path, [("Conv2D", config)], arrays), np.full((1, 4, 4, 1), 3))
    assert found.shape == (1, 2, 2, 2)
    assert found[0, :, 0, 0].tolist() == [4, 0]


def test_depthwise_outputs_are_ordered_by_input_channel_then_multiplier(tmp_path: Path) -> None:
    config = {**CONVOLUTION, "strides": [1, 1]}
    kernel = np.float32([1, 10, 100, 1000]).reshape(1, 1, 2, 2)
    model = write_model(
        tmp_path, [("DepthwiseConv2D", config)], {"depthwiseconv2d/depthwise_kernel": kernel}, size=1, channels=2
    )
    assert run(model, np.float32([2, 3]).reshape(1, 1, 1, 2)).ravel().tolist() == [2, 20, 300, 3000]


def test_flatten_orders_rows_then_columns_then_channels(tmp_path: Path) -> None:
    image = np.arange(8).reshape(1, 2, 2, 2)
    assert run(write_model(tmp_path, [("Flatten", {})], {}, 2, 2), image)[0].tolist() == list(range(8))


def test_zero_padding_is_rows_then_columns(tmp_path: Path) -> None:
    model = write_model(tmp_path, [("ZeroPadding2D", {"padding": [[1, 0], [0, 2]]})], {}, size=1)
    assert run(model, np.ones((1, 1, 1, 1)))[0, 0].tolist() == [[0, 0, 0], [1, 0, 0]]


def test_weights_of_16_bits_and_floats_are_read() -> None:
    rule = {"dtype": "uint16", "scale": 0.5, "min": -1.0}
    specs = [
        {"name": "a", "shape": [2], "dtype": "float32", "quantization": rule},
        {"name": "b", "shape": [], "dtype": "float32"},
    ]
    data = np.array([0, 65535], "<u2").tobytes() + np.array(7, "<f4").tobytes()
    found = read_weights([{"weights": specs[:1]}, {"weights": specs[1:]}], data)
    assert found["a"].tolist() == [-1, 32766.5]
    assert found["b"] == 7


# --- damage


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (("Softplus", {}), "'softplus' is a Softplus; supported are Add, "),
        (("Flatten", {"data_format": "channels_first"}), "'channels_first', not channels_last"),
    ],
)
def test_a_layer_that_is_not_known_is_refused_by_name(layer: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=told):
        run(write_model(tmp_path, [layer], {}), np.ones((1, 4, 4, 1)))


def test_a_model_with_other_outputs_is_refused(tmp_path: Path, photos: Path) -> None:
    model = write_model(tmp_path, [("Flatten", {})], {}, size=224, channels=3)
    score = nsfw_mobilenet(weights=str(model), device="cpu")
    with pytest.raises(DataError, match=r"model\.json: gives \(150528,\) numbers per picture, not the 5 classes"):
        score.score(batch_of([(photos / "dreambooth/cat/00.jpg").read_bytes()]))


def test_a_model_for_another_size_is_refused(tmp_path: Path, photos: Path) -> None:
    dense = ("Dense", {"activation": "linear"})
    model = write_model(tmp_path, [("Flatten", {}), dense], {"dense/kernel": np.ones((12, 5))}, size=2, channels=3)
    score = nsfw_mobilenet(weights=str(model), device="cpu")
    with pytest.raises(DataError, match=r"model\.json: does not run on a picture of 224 pixels"):
        score.score(batch_of([(photos / "dreambooth/cat/00.jpg").read_bytes()]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda model: model.write_text("<html>"), r"model\.json: cannot be read as a TensorFlow\.js model"),
        (lambda model: model.write_text("[]"), r"model\.json: cannot be read as a TensorFlow\.js model"),
        (lambda model: model.unlink(), r"model\.json: cannot be read as a TensorFlow\.js model"),
        (lambda model: (model.parent / "shard").unlink(), "names the weight file 'shard', which is not beside it"),
        (lambda model: model.write_text(model.read_text().replace('"shard"', '"../shard"')), r"'\.\./shard'"),
    ],
)
def test_damaged_or_missing_files_are_a_data_error_that_names_them(change: Any, told: str, tmp_path: Path) -> None:
    model = write_model(tmp_path, [("Flatten", {})], {"flatten/x": [1.0]})
    change(model)
    with pytest.raises(DataError, match=told):
        nsfw_mobilenet(weights=str(model))


@pytest.mark.parametrize("extra", [b"\0", None])
def test_weights_that_do_not_fit_the_manifest_are_a_data_error(extra: bytes | None, tmp_path: Path) -> None:
    model = write_model(tmp_path, [("Flatten", {})], {"flatten/x": [1.0]})
    shard = tmp_path / "shard"
    shard.write_bytes(shard.read_bytes() + extra if extra else shard.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"model\.json: cannot be read as a TensorFlow\.js layers model"):
        load_network(model, [shard], CPU)


def test_layers_in_an_order_that_cannot_run_are_a_data_error(tmp_path: Path) -> None:
    model = write_model(tmp_path, [("Flatten", {}), ("Dropout", {})], {})
    described = json.loads(model.read_text())
    layers = described["modelTopology"]["model_config"]["config"]["layers"]
    layers[1], layers[2] = layers[2], layers[1]
    model.write_text(json.dumps(described))
    with pytest.raises(DataError, match="'dropout' comes before its inputs"):
        load_network(model, [tmp_path / "shard"], CPU)
