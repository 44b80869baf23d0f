"""Folders of many small files that nobody downloads one by one, each fixed to a revision and the bytes of its files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AssetFolder:
    """Many small files that belong together and that a user fetches with git, for diptych to know them again.

    Attributes:
        url: Where upstream publishes them, at a fixed revision.
        sha256: Of the sha256 of the files, a line each, in the order in which they are read.
        licence: Of the files, as upstream states it.
    """

    url: str
    sha256: str
    licence: str


_TIIF = "https://github.com/A113N-W3I/TIIF-Bench/tree/3aae7504d2546516eaec2fea82fde9ae445dfea3/data"

# To add one: a line here (alphabetical), with the revision in the URL.
ASSET_FOLDERS: dict[str, AssetFolder] = {
    "tiif": AssetFolder(
        f"{_TIIF}/test_prompts",
        "250f7dd7e651ccab821e09b8c0b45bd36a68245c7bc1284637ab0c927c323f1f",
        "no licence stated",
    ),
    "tiif-mini": AssetFolder(
        f"{_TIIF}/testmini_prompts",
        "6b2bf26a5b932ad94a83d292c05d676dd9ac40b74cf7df129ab86dcaced739f9",
        "no licence stated",
    ),
}
