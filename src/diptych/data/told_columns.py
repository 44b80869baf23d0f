"""What tables about images call their columns, and which key one that nothing reads may be meant by."""

from collections.abc import Mapping, Sequence, Set

from diptych.lookup import nearest

# Key -> what the column is called that names an image by it; the first that is there counts.
IMAGE_NAMES: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "file_name", "filename", "image", "image_path", "img_path", "path"),
    "prompt": ("prompt", "text", "caption"),
    "prompt_id": ("prompt_id", "item_id"),
    "model": ("model", "t2i_model"),
    "setting": ("setting",),
    "sample": ("sample", "sample_id"),
}
LIKELY = 0.75  # how much a column looks like one that is read, of which it may be a misspelling


def likely_keys(unused: Sequence[str], names: Mapping[str, Sequence[str]], taken: Set[str]) -> dict[str, str]:
    """Return for each of some columns the key whose name it nearly has; empty where it has none.

    Args:
        unused: Columns that nothing reads.
        names: Of columns, by key.
        taken: Keys that a column has.

    >>> likely_keys(["modell", "mood"], IMAGE_NAMES, {"file"})
    {'modell': 'model', 'mood': ''}
    """
    free = {name: key for key, some in names.items() if key not in taken for name in some}
    likely = {name: nearest(name, free, count=1, cutoff=LIKELY) for name in unused}
    return {name: free[close[0]] if close else "" for name, close in likely.items()}
