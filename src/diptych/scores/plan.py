"""Which scores to compute over which encoders and judges: as a config says it, and built."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from diptych.assets import without_downloads
from diptych.config.identity import short_id
from diptych.encoders import Encoder, make_encoder
from diptych.errors import ConfigError, DataError, MissingExtra
from diptych.judges import make_judge
from diptych.lookup import describe_unknown
from diptych.scores import Score, encoder_of, looks_of, make_score, set_name
from diptych.scores.looks import Look

ROLES = ("encoder", "judge")  # options of a score that are models
Spec = tuple[str, Mapping[str, Any]]  # a name and its options
SetKey = tuple[str, str]  # the folder of a column set, and the label of what it is made with
Built = TypeVar("Built")


@dataclass(frozen=True)
class ScorePlan:
    """Which scores to compute; small and picklable, as a config file gives it.

    Attributes:
        encoders: Label -> (kind, options).
        scores: Label -> (name, options); the options ``encoder`` and ``judge`` hold labels.
        embed: Labels of encoders whose vectors are wanted though no score may look at them.
        judges: Label -> (kind, options); an option ``encoder`` holds the label of an encoder.
    """

    encoders: Mapping[str, Spec]
    scores: Mapping[str, Spec]
    embed: tuple[str, ...] = ()
    judges: Mapping[str, Spec] = field(default_factory=dict)

    def build(self) -> "Scorers":
        """Build the encoders, judges and scores; loads no model yet.

        Raises:
            ConfigError: If a name or an option is wrong.
        """
        encoders = {label: make_encoder(kind, options) for label, (kind, options) in self.encoders.items()}
        parts: dict[str, Mapping[str, Any]] = {"encoder": encoders}
        judges = {label: _build("judge", make_judge, label, spec, parts) for label, spec in self.judges.items()}
        parts["judge"] = judges
        scores = {label: _build("score", make_score, label, spec, parts) for label, spec in self.scores.items()}
        return Scorers(encoders, scores)

    def built_without_models(self) -> dict[str, Score]:
        """Return the scores that take no model and whose files are here, so that their columns are known.

        Raises:
            ConfigError: If one cannot be built as it is asked for.
        """
        built: dict[str, Score] = {}
        for label, (name, options) in self.scores.items():
            if any(role in options for role in ROLES):
                continue
            try:
                with without_downloads():
                    built |= ScorePlan({}, {label: (name, options)}).build().scores
            except (DataError, MissingExtra):  # what a run is told when it needs it
                continue
        return built

    def needed(self) -> "ScorePlan":
        """Return the plan without the encoders and judges that nothing in it uses."""
        judges = {label: spec for label, spec in self.judges.items() if label in _named("judge", self.scores)}
        used = {*self.embed, *_named("encoder", self.scores), *_named("encoder", judges)}
        encoders = {label: spec for label, spec in self.encoders.items() if label in used}
        return replace(self, encoders=encoders, judges=judges)


@dataclass(frozen=True)
class Scorers:
    """Built encoders and scores by label."""

    encoders: Mapping[str, Encoder]
    scores: Mapping[str, Score]

    @property
    def looks(self) -> Mapping[str, Look[Any]]:
        """What the scores ask of judges, by the name of the evidence: what several ask is there once."""
        return {look.name: look for score in self.scores.values() for look in looks_of(score)}

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Label and name of each column of a score."""
        return [(label, column.name) for label, score in self.scores.items() for column in score.columns]

    def set_names(self, plan: ScorePlan) -> dict[SetKey, str]:
        """Return the directory name ``<name>-<id>`` of each column set."""
        names = {("evidence", name): name for name in self.looks}
        for label, encoder in self.encoders.items():
            names["embeddings", label] = f"{plan.encoders[label][0]}-{short_id(encoder.identity)}"
        for label, score in self.scores.items():
            names["scores", label] = f"{set_name(plan.scores[label][0])}-{short_id(score.identity)}"
        return names

    def identity(self, key: SetKey) -> Mapping[str, Any]:
        """Return what decides the content of a column set."""
        folder, label = key
        named: Mapping[str, Mapping[str, Any]] = {
            "embeddings": self.encoders,
            "evidence": self.looks,
            "scores": self.scores,
        }
        identity: Mapping[str, Any] = named[folder][label].identity
        return identity

    def facts(self, key: SetKey, plan: ScorePlan) -> dict[str, Any]:
        """Return what the manifest of a column set says beside its identity."""
        folder, label = key
        if folder == "embeddings":
            return {"encoder": plan.encoders[label][0], "dim": self.encoders[label].dim}
        if folder == "evidence":
            look = self.looks[label]
            return {"judge": look.judge.identity["judge"], "kind": look.kind.name}
        columns = [asdict(column) for column in self.scores[label].columns]
        return {"score": set_name(plan.scores[label][0]), "columns": columns}

    def needs_of(self, key: SetKey) -> set[SetKey]:
        """Return the column sets that one is computed from: vectors and evidence of a score, vectors of evidence."""
        folder, label = key
        if folder == "embeddings":
            return set()
        if folder == "evidence":
            return self._vectors_of(self.looks[label].encoder)
        score = self.scores[label]
        return self._vectors_of(encoder_of(score)) | {("evidence", look.name) for look in looks_of(score)}

    def may_use_gpu(self, key: SetKey) -> bool:
        """Return whether a model makes a column set that may run on a GPU; such a one has a ``device``."""
        folder, label = key
        made_with: tuple[object, ...] = (self.encoders.get(label),)
        if folder == "evidence":
            made_with = (self.looks[label].judge, self.looks[label].encoder)
        elif folder == "scores":
            made_with = (self.scores[label], encoder_of(self.scores[label]))  # which may have texts to look at
        return any(getattr(model, "device", "cpu") != "cpu" for model in made_with)

    def _vectors_of(self, encoder: Encoder | None) -> set[SetKey]:
        return {("embeddings", label) for label, known in self.encoders.items() if known is encoder}


def _named(role: str, specs: Mapping[str, Spec]) -> set[str]:
    return {str(options[role]) for _, options in specs.values() if role in options}


def _build(
    kind: str,
    make: Callable[[str, Mapping[str, Any]], Built],
    label: str,
    spec: Spec,
    parts: Mapping[str, Mapping[str, Any]],
) -> Built:
    """Build one thing, with the encoder and judge themselves in the place of their labels."""
    name, options = spec
    made = dict(options)
    for role, known in parts.items():
        if role in made:
            if made[role] not in known:
                raise ConfigError(f"{kind} {label!r}: {describe_unknown(role, str(made[role]), known)}")
            made[role] = known[made[role]]
    return make(name, made)
