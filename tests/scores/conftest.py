import pytest

from diptych.data import images


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was decoded, in order."""
    calls: list[bytes] = []
    real = images.decode

    def decode(data: bytes, **limit: int) -> images.Image:
        calls.append(data)
        return real(data, **limit)

    monkeypatch.setattr(images, "decode", decode)
    return calls
