"""Whether the models of a plan fit the memory, said before their weights are read to know their sha256.

What is stored needs no model, and which set is stored is known by the sha256 alone. So a model counts here where no set
lies there that can be the one; of any other the workers know, who check again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from diptych.assets import without_downloads
from diptych.data.manifests import MANIFEST_OF
from diptych.data.noted import whole_manifest
from diptych.devices import count_gpus
from diptych.encoders import make_encoder
from diptych.errors import DiptychError
from diptych.jobs.engine import HERE, Engine
from diptych.judges import make_judge
from diptych.pretrained.held import files_sha256_of, own_weights, weights_of
from diptych.pretrained.memory import CPU, HeldWeights, check_all_fit
from diptych.scores import make_score, set_name
from diptych.scores.plan import ROLES, ScorePlan, Spec
from diptych.storage.json_objects import json_text
from diptych.storage.location import Location
from diptych.storage.store_memory import remembering

Maker = TypeVar("Maker")


def check_memory_ahead(
    plan: ScorePlan, places: Sequence[Location], engine: Engine = HERE, *, is_trial: bool = False
) -> None:
    """Check that the models which a run is sure to load fit the memory, where it is this machine that loads them.

    Of weights the headers are read. A GPU that other processes of the run are to have is left to them.

    Args:
        plan: What is asked for.
        places: Where column sets of the dataset may lie; they need not exist.
        engine: Who will load them.
        is_trial: Whether nothing may be downloaded, and what cannot be made so is left out.

    Raises:
        ConfigError: If a name or an option of the plan is wrong, or there is no such device.
        DataError: If one does not fit, or all do not together; names the smallest setting that would do.
    """
    if engine.name != HERE.name:
        return
    with without_downloads() if is_trial else nullcontext(), remembering():
        held = dict.fromkeys(_Ahead(plan, _StoredSets(tuple(places)), is_trial).weights())
    if not is_trial and engine.workers != 1 and any(one.device != CPU for one in held) and count_gpus() > 0:
        held = {one: None for one in held if one.device == CPU}
    check_all_fit(held)


@dataclass(frozen=True)
class _StoredSets:
    """The column sets that lie there, finished or begun."""

    places: tuple[Location, ...]
    _known: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)

    def may_have(self, folder: str, made_by: str, digests: Sequence[str]) -> bool:
        """Return whether a set may be there.

        Args:
            folder: ``scores``, ``embeddings`` or ``evidence``.
            made_by: With what its name begins; empty where that is not known.
            digests: What its identity must name.
        """
        sets = self._known.setdefault(folder, [*self._look_into(folder)])
        begin = f"{made_by}-" if made_by else ""
        return any(
            name.startswith(begin) and (said is None or all(digest in said for digest in digests))
            for name, said in sets
        )

    def _look_into(self, folder: str) -> Iterator[tuple[str, str | None]]:
        """Yield the name of each set, and its identity in JSON; None of one that is not finished."""
        for found in chain.from_iterable((place / folder).children() for place in self.places):
            manifest = whole_manifest(found / MANIFEST_OF[folder])
            yield found.name, None if manifest is None else json_text(dict(manifest.facts.get("identity", {})))


@dataclass(frozen=True)
class _Ahead:
    """The models of a plan, made as they are asked for; none of them is loaded."""

    plan: ScorePlan
    stored: _StoredSets
    is_trial: bool

    def weights(self) -> Iterator[HeldWeights]:
        """Yield what is loaded whatever the sha256 of the weights say; some of it several times."""
        for name, options in self.plan.scores.values():
            models = [self._models[role][label] for role in ROLES if (label := options.get(role)) in self._models[role]]
            if not self.stored.may_have("scores", set_name(name), [*chain.from_iterable(map(files_sha256_of, models))]):
                yield from self._of_score(name, options)
        for label in self.plan.embed:
            yield from self._of_encoder(label)

    def _of_score(self, name: str, options: Mapping[str, Any]) -> Iterator[HeldWeights]:
        if not any(role in options for role in ROLES):
            for score in self._made(make_score, {"": (name, options)}).values():
                yield from own_weights(score)
        yield from self._of_encoder(options.get("encoder"))
        judge = self._models["judge"].get(options.get("judge"))
        if judge is not None and not self.stored.may_have("evidence", "", [*files_sha256_of(judge)]):
            yield from weights_of(judge)

    def _of_encoder(self, label: Any) -> Iterator[HeldWeights]:
        encoder = self._models["encoder"].get(label)
        if encoder is not None:
            kind, _ = self.plan.encoders[label]
            if not self.stored.may_have("embeddings", kind, [*files_sha256_of(encoder)]):
                yield from weights_of(encoder)

    @cached_property
    def _models(self) -> Mapping[str, Mapping[Any, Any]]:
        """Encoders and judges by label; a judge has its encoder itself."""
        encoders = self._made(make_encoder, self.plan.encoders)
        judges = {
            label: (kind, {**options, **{role: encoders[options[role]] for role in options if role == "encoder"}})
            for label, (kind, options) in self.plan.judges.items()
            if options.get("encoder") in (None, *encoders)
        }
        return {"encoder": encoders, "judge": self._made(make_judge, judges)}

    def _made(self, make: Callable[[str, Mapping[str, Any]], Maker], specs: Mapping[str, Spec]) -> dict[str, Maker]:
        made = {}
        for label, (name, options) in specs.items():
            try:
                made[label] = make(name, options)
            except DiptychError:
                if not self.is_trial:
                    raise
        return made
