"""Judges behind a chat server on the loopback address, and what they are asked."""

from typing import Any

from chat_server import ChatServer, Reply, completion
from noise import noise
from PIL import Image

from diptych.judges import make_judge
from diptych.judges.answers.chat_endpoint import ChatEndpoint
from diptych.judges.contract import Answer, Query

YES_NO = ("yes", "no")
CAT = Query("Is there a cat?", YES_NO)
YES = Reply(completion("Yes."))


def pictures(count: int = 1) -> list[Image.Image]:
    """Return so many pictures, each of its own."""
    return noise(*((30 + number, 20) for number in range(count)))


def made(server: ChatServer, **options: Any) -> ChatEndpoint:
    """Return the judge behind a server, which tries three times and waits for no turn."""
    limits = {"requests_per_minute": 60_000, "tries": 3, **options.pop("limits", {})}
    judge = make_judge("chat_endpoint", {"base_url": server.url, "model": "tiny", "limits": limits, **options})
    assert isinstance(judge, ChatEndpoint)
    return judge


def ask(server: ChatServer, query: Query = CAT, **options: Any) -> Answer:
    """Return the answer to one question about one picture."""
    ((answer,),) = made(server, **options).answers(pictures(), [[query]])  # type: ignore[misc]
    return answer


def always(reply: Reply) -> ChatServer:
    """Return a server that says the same to whatever it is asked."""
    return ChatServer(lambda body: reply)
