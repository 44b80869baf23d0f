"""Names of classes: what a detector calls a thing, and what benchmarks call it.

Detectors of the same 80 classes of COCO call some of them by other names: those of PASCAL VOC (``tvmonitor``), of the
detectors of PaddlePaddle, of COCO's own file. GenEval says ``computer mouse`` where COCO says ``mouse``. A class that
is neither here nor named in a judge's option ``names`` keeps the name that the model has for it.
"""

from collections.abc import Mapping

from diptych.errors import ConfigError
from diptych.lookup import describe_unknown

NO_CLASS = frozenset({"N/A", "background", "no-object", "__background__"})

# What models say -> what the prompts of GenEval say, whose other classes have COCO's names.
BENCHMARK_NAMES: dict[str, str] = {
    "aeroplane": "airplane",
    "cellphone": "cell phone",
    "diningtable": "dining table",
    "hair dryer": "hair drier",
    "hotdog": "hot dog",
    "keyboard": "computer keyboard",
    "motorbike": "motorcycle",
    "mouse": "computer mouse",
    "pottedplant": "potted plant",
    "remote": "tv remote",
    "sofa": "couch",
    "television": "tv",
    "trafficlight": "traffic light",
    "tvmonitor": "tv",
}


def benchmark_names(labels: Mapping[int, str], own: Mapping[str, str] | None, where: str) -> dict[int, str | None]:
    """Return what benchmarks call each class of a model; None for numbers that stand for nothing.

    Args:
        labels: What the model calls its classes, by their numbers.
        own: Names of the user's for some of them, which come first.
        where: Whose option it is, for errors.

    Raises:
        ConfigError: If ``own`` names a class that the model does not have.

    >>> benchmark_names({0: "N/A", 1: "sofa", 2: "dog"}, {"dog": "puppy"}, "judge 'x'")
    {0: None, 1: 'couch', 2: 'puppy'}
    """
    renamed = dict(own or {})
    for name in renamed:
        if name not in labels.values():
            raise ConfigError(f"{where}: names: {describe_unknown('class of the model', name, labels.values())}")
    names = {**BENCHMARK_NAMES, **renamed}
    return {number: None if label in NO_CLASS else names.get(label, label) for number, label in labels.items()}
