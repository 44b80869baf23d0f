"""Runs a TensorFlow.js layers model (``model.json`` and its weight shards) in torch, without TensorFlow.

The network is evaluated layer by layer as the topology lists it; only the layers that image classifiers of the
MobileNet family use are known, everything else is refused when loading. Keras conventions hold: images are channels
last (kept as channels first inside), "same" padding puts the odd pixel after, Flatten orders channels last.

Formats: TensorFlow.js ``io_utils.decodeWeights`` (tfjs-core 4: value = stored x scale + min, computed in double
precision and kept as float32); Keras 2 ``Model.get_config``.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the name that torch's own documentation uses

from diptych.errors import DataError, named_line

QUANTIZED_DTYPES = {"uint8": "<u1", "uint16": "<u2"}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda values: values,
    "relu": F.relu,
    "softmax": lambda values: values.softmax(1),
}


class ModelLayer(NamedTuple):
    """One layer of the topology.

    Attributes:
        name: Unique in the model.
        kind: Its Keras class.
        config: Its Keras configuration.
        inputs: Names of the layers whose outputs it takes.
        weights: By their Keras name: float32, laid out for torch.
        spent: Names of the layers whose outputs nobody needs after this layer.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: Mapping[str, Tensor]
    spent: tuple[str, ...]


class Network:
    """A loaded model.

    A call raises ValueError, KeyError or RuntimeError where a layer's configuration, weights and input do not fit.
    """

    def __init__(self, layers: Sequence[ModelLayer], output: str, device: torch.device) -> None:
        """Keep layers, each after those it takes its inputs from; the first is the input."""
        self.layers = [layer._replace(weights=_move(layer.weights, device)) for layer in layers]
        self.output = output
        self.device = device

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the output, float32 (N, outputs), for images, float32 (N, height, width, channels)."""
        # TensorFloat-32, which cuDNN uses by default, would keep three decimals only.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            # permute leaves the memory channels last, which convolutions keep and are faster with.
            return self._run(torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2))

    def _run(self, images: Tensor) -> npt.NDArray[np.float32]:
        first, *rest = self.layers
        values = {first.name: images}
        for layer in rest:
            inputs = [values[name] for name in layer.inputs]
            values[layer.name] = OPERATIONS[layer.kind](layer, inputs)
            for name in layer.spent:
                del values[name]
        result: npt.NDArray[np.float32] = values[self.output].cpu().numpy()
        return result


def load_network(model: Path, shards: Sequence[Path], device: torch.device) -> Network:
    """Read a layers model.

    Args:
        model: ``model.json``.
        shards: Its weight files, in the order in which the manifest names them.
        device: Where to run it.

    Raises:
        DataError: If a file is missing or damaged, or the model has a layer that is not known here.
    """
    try:
        described = json.loads(model.read_text(encoding="utf-8"))
        weights = read_weights(described["weightsManifest"], b"".join(path.read_bytes() for path in shards))
        config = described["modelTopology"]["model_config"]["config"]
        output = config["output_layers"][0][0]
        layers = _link([_layer(entry, weights) for entry in config["layers"]], output)
    except (OSError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise DataError(
            f"{model}: cannot be read as a TensorFlow.js layers model ({named_line(error)}); download it again"
        ) from error
    return Network(layers, output, device)


def read_weights(manifest: Sequence[Mapping[str, Any]], data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return the weights by name, dequantised to float32.

    Args:
        manifest: ``weightsManifest`` of a ``model.json``.
        data: The bytes of all its weight files, one after the other.

    Raises:
        ValueError: If a type is not known here or the data does not fit the manifest.

    >>> rule = {"dtype": "uint8", "scale": 0.5, "min": -1}
    >>> spec = {"name": "a", "shape": [2], "dtype": "float32", "quantization": rule}
    >>> read_weights([{"weights": [spec]}], bytes([0, 4]))["a"].tolist()
    [-1.0, 1.0]
    """
    weights, offset = {}, 0
    for spec in (spec for group in manifest for spec in group["weights"]):
        rule = spec.get("quantization")
        if spec["dtype"] != "float32" or (rule and rule["dtype"] not in QUANTIZED_DTYPES):
            raise ValueError(f"the weight {spec['name']!r} has a type that is not supported: {spec['dtype']}, {rule}")
        dtype = np.dtype(QUANTIZED_DTYPES[rule["dtype"]] if rule else "<f4")
        stored = np.frombuffer(data, dtype, math.prod(spec["shape"]), offset)
        values = stored.astype(np.float64) * rule["scale"] + rule["min"] if rule else stored
        weights[spec["name"]] = values.astype(np.float32).reshape(spec["shape"])
        offset += stored.nbytes
    if offset != len(data):
        raise ValueError(f"the weight files hold {len(data)} bytes and the manifest describes {offset}")
    return weights


def _layer(entry: Mapping[str, Any], weights: Mapping[str, npt.NDArray[np.float32]]) -> ModelLayer:
    name, kind, config = entry["name"], entry["class_name"], entry["config"]
    if kind != "InputLayer" and kind not in OPERATIONS:
        raise ValueError(f"the layer {name!r} is a {kind}; supported are {', '.join(sorted(OPERATIONS))}")
    if config.get("data_format", "channels_last") != "channels_last":
        raise ValueError(f"the layer {name!r} has the data format {config['data_format']!r}, not channels_last")
    inputs = tuple(node[0] for node in entry["inbound_nodes"][0]) if entry["inbound_nodes"] else ()
    own = {full.rpartition("/")[2]: values for full, values in weights.items() if full.rpartition("/")[0] == name}
    return ModelLayer(name, kind, config, inputs, {key: _lay_out(key, values) for key, values in own.items()}, ())


def _lay_out(name: str, values: npt.NDArray[np.float32]) -> Tensor:
    tensor = torch.from_numpy(values)
    if name == "depthwise_kernel":  # (height, width, inputs, multiplier) to (inputs x multiplier, 1, height, width)
        return tensor.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1).contiguous(memory_format=torch.channels_last)
    if name == "kernel" and tensor.ndim == 4:  # (height, width, inputs, outputs) to (outputs, inputs, height, width)
        return tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    return tensor


def _move(weights: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    return {name: tensor.to(device) for name, tensor in weights.items()}


def _link(layers: Sequence[ModelLayer], output: str) -> list[ModelLayer]:
    """Return the layers with what each of them leaves behind; their order must be one in which they can run."""
    last_use = {name: layer.name for layer in layers for name in layer.inputs}
    known: set[str] = set()
    linked = []
    for layer in layers:
        if not known.issuperset(layer.inputs):
            raise ValueError(f"the layer {layer.name!r} comes before its inputs {layer.inputs}")
        known.add(layer.name)
        spent = {name for name in layer.inputs if last_use[name] == layer.name and name != output}
        linked.append(layer._replace(spent=tuple(spent)))
    if output not in known or layers[0].kind != "InputLayer":
        raise ValueError(f"the model does not start with an input or has no layer {output!r}")
    return linked


def _activate(layer: ModelLayer, values: Tensor) -> Tensor:
    return ACTIVATIONS[layer.config["activation"]](values)


def _convolve(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    config, kernel = layer.config, layer.weights["kernel"]
    images = _pad_same(inputs[0], kernel, config)
    strides, dilation = tuple(config["strides"]), tuple(config["dilation_rate"])
    return _activate(layer, F.conv2d(images, kernel, layer.weights.get("bias"), strides, 0, dilation))


def _convolve_depthwise(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    config, kernel = layer.config, layer.weights["depthwise_kernel"]
    images = _pad_same(inputs[0], kernel, config)
    strides, dilation = tuple(config["strides"]), tuple(config["dilation_rate"])
    bias, groups = layer.weights.get("bias"), images.shape[1]
    return _activate(layer, F.conv2d(images, kernel, bias, strides, 0, dilation, groups))


def _pad_same(images: Tensor, kernel: Tensor, config: Mapping[str, Any]) -> Tensor:
    """Pad with zeros as TensorFlow's "same": the output has ceil(size / stride) pixels, the odd pixel goes after."""
    if config["padding"] == "valid":
        return images
    before_after: list[int] = []
    for axis in (1, 0):  # F.pad counts from the last axis
        size, stride = images.shape[2 + axis], config["strides"][axis]
        reach = (kernel.shape[2 + axis] - 1) * config["dilation_rate"][axis] + 1
        total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        before_after += [total // 2, total - total // 2]
    return F.pad(images, before_after)


def _pad(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    (top, bottom), (left, right) = layer.config["padding"]
    return F.pad(inputs[0], (left, right, top, bottom))


def _normalize(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    weights = layer.weights
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    gamma, beta, epsilon = weights.get("gamma"), weights.get("beta"), layer.config["epsilon"]
    return F.batch_norm(inputs[0], mean, variance, gamma, beta, training=False, eps=epsilon)


def _rectify(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    if layer.config.get("negative_slope") or layer.config.get("threshold"):
        raise ValueError(f"the layer {layer.name!r} is a ReLU with a slope or a threshold, which is not supported")
    return inputs[0].clamp(0, layer.config["max_value"])


def _add(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    total = inputs[0]
    for other in inputs[1:]:
        total = total + other
    return total


def _average(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    if layer.config["padding"] != "valid":
        raise ValueError(f"the layer {layer.name!r} pools with padding, which is not supported")
    return F.avg_pool2d(inputs[0], tuple(layer.config["pool_size"]), tuple(layer.config["strides"]))


def _flatten(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    return inputs[0].permute(0, 2, 3, 1).flatten(1)


def _connect(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    values = inputs[0] @ layer.weights["kernel"]
    return _activate(layer, values + layer.weights["bias"] if "bias" in layer.weights else values)


def _pass(layer: ModelLayer, inputs: list[Tensor]) -> Tensor:
    return inputs[0]


OPERATIONS: dict[str, Callable[[ModelLayer, list[Tensor]], Tensor]] = {
    "Add": _add,
    "AveragePooling2D": _average,
    "BatchNormalization": _normalize,
    "Conv2D": _convolve,
    "Dense": _connect,
    "DepthwiseConv2D": _convolve_depthwise,
    "Dropout": _pass,  # does something while training only
    "Flatten": _flatten,
    "ReLU": _rectify,
    "ZeroPadding2D": _pad,
}
