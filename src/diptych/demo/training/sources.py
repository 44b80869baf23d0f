"""Where a training of a pipeline finds what it does not train, and by which hashes other content is known."""

from dataclasses import dataclass
from pathlib import Path

from diptych.assets import file_sha256
from diptych.config.identity import fingerprint
from diptych.data.dataset import open_dataset
from diptych.errors import ConfigError

CLIP_FILES = ("open_clip_config.json", "open_clip_model.safetensors")
VAE_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
PIPELINE_FILES = ("unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors")


@dataclass(frozen=True)
class Sources:
    """Where a training finds what it does not train.

    Attributes:
        pairs: The dataset directory to learn from.
        vae: The autoencoder's folder.
        clip: The CLIP's folder, whose text tower the text model begins as.
        begin: Folder of a pipeline to go on from; None begins anew.
    """

    pairs: Path
    vae: Path
    clip: Path
    begin: Path | None = None

    def hashes(self) -> dict[str, str | None]:
        """Return a sha256 (hex) of the content of each source by its name; None where there is none.

        Raises:
            ConfigError: If a folder lacks a file of its model.
            ShardError: If the dataset directory is unfinished or damaged.
        """
        return {
            "pairs": open_dataset(self.pairs).fingerprint,
            "vae": _hash_of(self.vae, VAE_FILES),
            "clip": _hash_of(self.clip, CLIP_FILES),
            "begin": None if self.begin is None else _hash_of(self.begin, PIPELINE_FILES),
        }


def check_folder(folder: Path, names: tuple[str, ...]) -> None:
    """See that a folder holds the files of a model.

    Raises:
        ConfigError: If one is missing.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ConfigError(f"{folder}: there is no {missing[0]}; give the folder that holds {' and '.join(names)}")


def _hash_of(folder: Path, names: tuple[str, ...]) -> str:
    check_folder(folder, names)
    return fingerprint([file_sha256(folder / name) for name in names])
