"""Where the pipeline of a config lies, and the components that it puts in the place of others: folders, or the hub."""

from pathlib import Path

from diptych.assets import is_offline, named_path
from diptych.errors import ConfigError, DataError
from diptych.generate.backends.asked import ModelChoice
from diptych.generate.backends.diffusers.components import CONFIGS, local_component, replacements
from diptych.generate.backends.diffusers.models import ModelFolder
from diptych.pretrained.folder import DESCRIPTIONS, HUB_ERRORS, HUB_ID, read_object, why_not_fetched
from diptych.pretrained.libraries import import_hub, import_library

COMPONENT_FILES = [*CONFIGS, "*.safetensors", "*.safetensors.index*.json"]


def find_model(label: str, choice: ModelChoice, *, with_weights: bool) -> ModelFolder:
    """Return the model of a config, fetching it from the hub where it is not a folder.

    Args:
        label: Its name in the config.
        choice: What the config says of it.
        with_weights: Whether a model on the hub has to be there whole, or its small files are enough.

    Raises:
        ConfigError: If there is no such folder and the name is no hub id, or it is no text-to-image pipeline.
        DataError: If it cannot be fetched or its files are damaged.
    """
    path = named_path(choice.path_or_id)
    if not path.is_dir():
        if path.exists() or not HUB_ID.fullmatch(choice.path_or_id):
            raise ConfigError(
                f"models.{label}: no folder {choice.path_or_id!r}; give the folder of a diffusers pipeline "
                f"(with model_index.json) or an id on the hub such as stabilityai/stable-diffusion-xl-base-1.0"
            )
        path = _from_hub(label, choice, with_weights=with_weights)
    elif choice.revision is not None:
        raise ConfigError(f"models.{label}: a revision belongs to a model on the hub, {choice.path_or_id} is a folder")
    if not (path / "model_index.json").is_file():
        raise ConfigError(f"models.{label}: {path} has no model_index.json; give the folder of a diffusers pipeline")
    index = read_object(path / "model_index.json")
    if not isinstance(index.get("_class_name"), str):
        raise DataError(f"{path / 'model_index.json'}: names no pipeline class")
    replaced = {
        name: None if reference is None else _find_component(label, name, reference)
        for name, reference in replacements(label, choice, index).items()
    }
    folder = ModelFolder(label, choice, path, index, replaced)
    folder.check(with_weights=with_weights)
    return folder


def _find_component(label: str, name: str, reference: str) -> Path:
    """Return the folder of a component that a config names: one that is here, or one from the hub."""
    path = local_component(label, name, reference)
    if path is not None:
        return path
    where = f"models.{label}.components.{name}: {reference}"
    if not HUB_ID.fullmatch(reference):
        raise ConfigError(f"{where}: no such folder; give the folder of a component or its id on the hub")
    try:
        found = import_hub().snapshot_download(reference, allow_patterns=COMPONENT_FILES, local_files_only=is_offline())
    except HUB_ERRORS as error:
        raise DataError(f"{where} {why_not_fetched(error)}") from error
    return Path(found)


def _from_hub(label: str, choice: ModelChoice, *, with_weights: bool) -> Path:
    hub = import_hub()
    where = f"models.{label}: {choice.path_or_id}"
    offline = {"revision": choice.revision, "local_files_only": is_offline()}
    try:
        if not with_weights:
            return Path(hub.snapshot_download(choice.path_or_id, allow_patterns=[*DESCRIPTIONS], **offline))
        diffusers = import_library("diffusers")
        found = diffusers.DiffusionPipeline.download(
            choice.path_or_id, variant=choice.variant, use_safetensors=True, **offline
        )
        return Path(found)
    except HUB_ERRORS as error:
        raise DataError(f"{where} {why_not_fetched(error)}") from error
