"""The card of a dataset directory: what people read, and what tells the Hub and ``datasets`` where the data is."""

from collections.abc import Mapping
from typing import Any

CARD = "README.md"


def card(facts: Mapping[str, Any], rows: int, content: str) -> str:
    """Return the text of the card.

    ``datasets`` caches what it read under a name that it makes of the folder's name, the name of the configuration and
    its block in the card; with a constant block, another export in a folder of the same name would be given the rows
    of the first. So the configuration is named after the content.

    Args:
        facts: ``name`` and ``kind`` of the manifest.
        rows: Number of rows.
        content: Hash of the content.
    """
    return (
        f"---\nconfigs:\n- config_name: rows-{content[:16]}\n  default: true\n"
        f"  data_files:\n  - split: train\n    path: data/*.parquet\n---\n\n"
        f"# {facts.get('name') or 'dataset'}\n\n"
        f"{rows:,} rows ({facts.get('kind')}), made by diptych. One row per image: bytes as they came, text, columns.\n"
        "How it was made stands in `dataset.json`.\n\n"
        "A row whose `status` is not `ok` has no picture, or a broken one. To leave those out:\n\n"
        "```python\n"
        'datasets.load_dataset(DIRECTORY, split="train", filters=[("status", "==", "ok")])\n'
        "```\n"
    )
