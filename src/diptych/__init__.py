"""diptych: curate image-text pairs, reproduce images from prompts, and judge both with numbers that can be defended.

The names below are the Python API; each is imported when it is first used. What they do is told in ``diptych.api``.
"""

TYPE_CHECKING = False  # typing's own name would be its import, and what is imported here delays the ear for Ctrl-C

if TYPE_CHECKING:
    from typing import Any

    from diptych.api import (
        OpenDataset,
        Store,
        build_report,
        open_dataset,
        open_store,
        run_curation,
        run_evaluation,
        run_generation,
        score,
    )

__version__ = "0.0.1"

__all__ = [
    "OpenDataset",
    "Store",
    "__version__",
    "build_report",
    "open_dataset",
    "open_store",
    "run_curation",
    "run_evaluation",
    "run_generation",
    "score",
]


def __getattr__(name: str) -> "Any":
    """Import a name of the API on first use, so that ``import diptych`` imports nothing.

    Raises:
        AttributeError: If it is none.
        MissingExtra: If a part of diptych that it needs is not installed.
    """
    if name not in __all__:
        raise AttributeError(f"module 'diptych' has no attribute {name!r}")
    from diptych.lookup import import_attribute

    return import_attribute(f"diptych.api:{name}")


def __dir__() -> list[str]:
    """Return the names of the API."""
    return sorted(__all__)
