"""Judges: what a model sees in an image. What they say is evidence; whether it is right, scores decide."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diptych.errors import MissingExtra
from diptych.lookup import resolve

if TYPE_CHECKING:
    from diptych.judges.contract import Judge

# To add one: a module with a keyword-only factory in the folder of what it can do, a line here (alphabetical), a test.
JUDGES: dict[str, str] = {
    "blip_vqa": "diptych.judges.answers.blip_vqa:blip_vqa",
    "boxes_with_depth": "diptych.judges.boxes.with_depth:boxes_with_depth",
    "centre_point": "diptych.judges.boxes.centre_point:centre_point",
    "chat_endpoint": "diptych.judges.answers.chat_endpoint:chat_endpoint",
    "drawn_truth": "diptych.demo.truth_judge:truth_judge",
    "florence2": "diptych.judges.text.florence2:florence2",
    "grounding_dino": "diptych.judges.boxes.grounding_dino:grounding_dino",
    "imported": "diptych.judges.imported:imported",
    "instance_segmentation": "diptych.judges.boxes.instance_segmentation:instance_segmentation",
    "object_detection": "diptych.judges.boxes.object_detection:object_detection",
    "owlv2": "diptych.judges.boxes.owlv2:owlv2",
    "rapidocr": "diptych.judges.text.rapidocr:rapidocr",
    "trocr": "diptych.judges.text.trocr:trocr",
    "vilt_vqa": "diptych.judges.answers.vilt_vqa:vilt_vqa",
    "vision_language": "diptych.judges.answers.vision_language:vision_language",
    "zero_shot": "diptych.judges.answers.zero_shot:zero_shot",
}


def make_judge(kind: str, options: Mapping[str, Any]) -> Judge:
    """Build the judge ``kind`` from its options, as a config file names them; ``encoder`` is the encoder object itself.

    Raises:
        ConfigError: If the kind is unknown or an option does not fit.
    """
    from diptych.config.options import call_with_options

    judge: Judge = call_with_options(resolve(JUDGES, "judge", kind), options, where=f"judge {kind!r}")
    return judge


def judge_takes(kind: str, role: str) -> bool:
    """Return whether a judge is made with an ``encoder``, as its factory says.

    Raises:
        ConfigError: If the kind is unknown.
    """
    return role in inspect.signature(resolve(JUDGES, "judge", kind)).parameters


def judge_option(kind: str, options: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    """Return what an option of a judge is, and what it is where nobody says.

    Both are None where it has no such option, or where what it needs is not installed, so that nobody can ask it.

    Raises:
        ConfigError: If the kind is unknown.
    """
    try:
        parameter = inspect.signature(resolve(JUDGES, "judge", kind)).parameters.get(name)
    except MissingExtra:
        return None, None
    return (None, None) if parameter is None else (options.get(name, parameter.default), parameter.default)
