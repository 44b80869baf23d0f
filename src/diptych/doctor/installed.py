"""What is installed: the packages of diptych and of its optional parts, by their metadata."""

from collections.abc import Mapping
from typing import Any

from diptych.errors import install_command

SUPPORTED_PYTHON = ((3, 11), (3, 12), (3, 13))

BASE = ("click", "pydantic", "pyyaml")

# What each extra of pyproject.toml installs; a test compares the two.
EXTRAS: dict[str, tuple[str, ...]] = {
    "azure": ("adlfs",),
    "curate": (
        "duckdb",
        "lingua-language-detector",
        "numpy",
        "open-clip-torch",
        "pillow",
        "pooch",
        "pyarrow",
        "rich",
        "scikit-learn",
        "torch",
        "torchvision",
    ),
    "evaluate": (
        "duckdb",
        "numpy",
        "open-clip-torch",
        "pillow",
        "pooch",
        "pyarrow",
        "rich",
        "scikit-learn",
        "scipy",
        "torch",
        "torchmetrics",
        "torchvision",
        "transformers",
    ),
    "gcs": ("gcsfs",),
    "generate": ("accelerate", "diffusers", "numpy", "pillow", "pooch", "pyarrow", "rich", "torch", "transformers"),
    "heic": ("pillow-heif",),
    "hf": ("huggingface-hub",),
    "mlflow": ("alembic", "mlflow-skinny", "sqlalchemy"),
    "ocr": ("onnxruntime", "rapidocr"),
    "ray": ("ray",),
    "reports": ("duckdb", "jinja2", "numpy", "pillow", "pyarrow", "rich"),
    "s3": ("s3fs",),
    "trackio": ("trackio",),
    "wandb": ("wandb",),
}


def inspect_extra(name: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """Return whether an optional part is complete, what it lacks and the command that installs it."""
    missing = [package for package in EXTRAS[name] if package not in versions]
    return {"present": not missing, "missing": missing, "install": install_command(name)}
