"""Encoders without a text side: what they say to a text."""

from collections.abc import Sequence
from typing import ClassVar, NoReturn

from diptych.errors import ConfigError


class ImagesOnly:
    """An encoder that refuses texts.

    Attributes:
        kind: What configs call it.
    """

    kind: ClassVar[str]

    def texts(self, texts: Sequence[str]) -> NoReturn:
        """Refuse: it has no text side.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"encoder {self.kind!r}: embeds images only; for texts use an open_clip encoder")

    def truncated(self, texts: Sequence[str]) -> NoReturn:
        """Refuse, see ``texts``.

        Raises:
            ConfigError: Always.
        """
        self.texts(texts)
