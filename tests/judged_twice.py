"""Images of three models by three judges, one of them people, and a run that holds these against each other."""

from pathlib import Path
from typing import Any

from evaluate_configs import make_config, run
from imported_evidence import imported_facts
from tiny_generated import Made, make_generated

ASKED = {
    "questions": [
        {"id": "1", "question": "A cat?", "tags": ["entity", "animal"]},
        {"id": "2", "question": "Two?", "answer": "no"},
    ]
}
MODELS, PROMPTS = ("flux", "sdxl", "sd15"), 8
DETR = {"flux": "11111010", "sdxl": "11100010", "sd15": "01000010"}
UNIDET = {"flux": "11010010", "sdxl": "11111010", "sd15": "010000.0"}
PEOPLE = {"flux": "55342151", "sdxl": "44355221", "sd15": "1512.231"}
ROWS = [
    Made(model, prompt, category=("colors", "counting")[prompt % 2], checks=ASKED)
    for model in MODELS
    for prompt in range(PROMPTS)
]


def column(name: str, said: dict[str, str]) -> str:
    rows = [f"{row.key},{said[row.model][row.prompt]}\n" for row in ROWS if said[row.model][row.prompt] != "."]
    return f"key,{name}\n" + "".join(rows)


def make_judged(folder: Path) -> Path:
    """Return the folder with three judges of the same images, held against each other in one run."""
    make_generated(folder / "generated", ROWS)
    run(
        config_of(
            folder,
            judges_of(folder),
            {"a": "detr.rating", "b": "unidet.rating"},
            {"a": "detr.rating", "b": "people.rating", "truth": True, "at_least_b": 3},
            {"a": "unidet.rating", "b": "people.rating", "truth": True, "at_least_b": 1, "by": ["prompt_id"]},
            means=[{"score": "detr.rating", "by": ["model"]}],
        )
    )
    return folder


def judges_of(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for judge, said in (("detr", DETR), ("unidet", UNIDET)):
        facts |= imported_facts(folder, f"{judge}.csv", column("label", said), form="labels", judge=judge)["judges"]
    text, scale = column("rating", PEOPLE), ("--scale", "1-5")
    return facts | imported_facts(folder, "people.csv", text, *scale, form="ratings", judge="people")["judges"]


def config_of(folder: Path, judges: dict[str, Any], *agreements: dict[str, Any], **more: Any) -> dict[str, Any]:
    scores = {name: {"score": "rating", "judge": name} for name in judges}
    return make_config(folder, judges=judges, scores=scores, agreements=list(agreements), **more)
