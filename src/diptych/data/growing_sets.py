"""How a column set comes to be: the columns of each shard of the data, in a directory of its own beside it.

It grows as ``growing`` says. Decides nothing about what the columns are.
"""

from collections.abc import Mapping
from typing import Any

from diptych.config.identity import fingerprint as fingerprint_of
from diptych.data.damage import noted_problems
from diptych.data.dataset import ColumnSet, Dataset
from diptych.data.growing import Growing
from diptych.data.manifests import MANIFEST_OF
from diptych.data.noted import restore_journal, restore_manifest
from diptych.data.shards import ShardInfo
from diptych.errors import ShardError
from diptych.parts import WHOLE_JOB, JobPart


class GrowingSet:
    """A column set while its shards are being written; shards that are finished already are known as such."""

    def __init__(
        self,
        dataset: Dataset,
        folder: str,
        name: str,
        identity: Mapping[str, Any],
        *,
        part: JobPart = WHOLE_JOB,
        progress: str = "none",
    ) -> None:
        """Look at every byte of the column set ``folder/name``; shards that are damaged wait to be made again.

        Args:
            dataset: Beside whose data it lies.
            folder: ``scores``, ``embeddings``, ``evidence`` or ``decisions``.
            name: Of its directory.
            identity: Everything that decides its content.
            part: Of the shards that is made here.
            progress: Display mode, see ``diptych.progress``.

        Raises:
            OtherVersion: If it is of another version of the format.
        """
        self.location = dataset.written / folder / name
        self._dataset = dataset
        self._folder = folder
        self._identity = dict(identity)
        manifest = self.location / MANIFEST_OF[folder]
        restore_manifest(self.location, manifest)  # it has labels, which nobody computes again
        # By fingerprint: what comes back from JSON has lists where the identity may have tuples.
        self._growing = Growing(self.location, manifest, folder, fingerprint_of(self._identity), part)
        self._goes_on = self._growing.made_from == self._growing.fingerprint
        self._facts = dict(self._growing.facts) if self._goes_on else {}  # labels stay where shards are made again
        found = self._find()
        is_whole = found is not None and not noted_problems(found.location, found.shards, progress=progress)
        self._sealed = found if is_whole else None
        if found is not None and is_whole and found.location != self.location:
            self.location = found.location  # beside the data, where nobody writes
        elif is_whole:
            self.location.remove_temporary()
            restore_journal(self.location, manifest, folder)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        return self._sealed is not None

    def count_finished(self) -> int:
        """Return how many shards of the data have theirs here by now, whoever made it."""
        self._growing.look_again()
        return sum(map(self.has, self._dataset.shards))

    def begin(self, *, progress: str = "none") -> None:
        """Make the directory ready for writing: no manifest, no leftovers; what has another identity goes.

        Raises:
            ShardError: If the disk refuses.
        """
        self._growing.begin(keep=self._goes_on, progress=progress)

    def has(self, shard: ShardInfo) -> bool:
        """Return whether the part that belongs to a shard of the data is finished."""
        return self.is_finished or self._growing.finished(shard.name, source=shard.sha256) is not None

    def commit(self, *infos: ShardInfo) -> None:
        """Note shards as finished.

        Raises:
            ShardError: If the disk refuses.
        """
        self._growing.commit(*infos)

    def seal(self, facts: Mapping[str, Any]) -> ColumnSet:
        """Write the manifest, which makes the set a finished one, and return it.

        Args:
            facts: Further entries of the manifest, e.g. the documentation of the columns.

        Raises:
            ShardError: If a shard is missing or does not line up with the data; what is finished is kept.
        """
        if self._sealed is None:
            for shard in self._dataset.shards:
                info = self._growing.finished(shard.name, source=shard.sha256)
                if info is None or info.keys != shard.keys:
                    place = self.location / shard.name
                    raise ShardError(f"{place}: is missing or has other rows than the data; run again")
            names = [shard.name for shard in self._dataset.shards]
            self._growing.seal({**self._facts, "identity": self._identity, **facts}, names)
            self._sealed = self._find()
        assert self._sealed is not None, f"{self.location} does not line up with the data right after it was sealed"
        return self._sealed

    def _find(self) -> ColumnSet | None:
        """Return the finished set, if there is one with this identity; a damaged manifest is as good as none."""
        try:
            found = self._dataset.column_set(self._folder, self.location.name)
        except ShardError:
            return None
        if found is None or fingerprint_of(found.manifest["identity"]) != self._growing.fingerprint:
            return None
        return found
