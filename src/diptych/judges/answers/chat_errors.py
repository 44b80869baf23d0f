"""What an OpenAI-compatible endpoint says where it gives no answer, and what that is about.

It may pass, be about the account, the model or the form of every request, or about one question alone: its picture, its
length, its content. Endpoints tell an error with a status or, as gateways do, within an answer of 200. Decides nothing
about what is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from diptych.errors import one_line

PASSING = frozenset({408, 409, 425, 429})  # and 5xx
OF_A_QUESTION = frozenset({400, 413, 422})  # unless every request of this form has it
NO_CREDIT = frozenset(
    {"insufficient_quota", "insufficient_credits", "billing_not_active", "billing_hard_limit_reached"}
)
OF_THE_FORM = frozenset(
    {"unsupported_parameter", "unsupported_value", "unknown_parameter", "invalid_model", "model_not_found"}
)
OF_ITS_CONTENT = frozenset(
    {"content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation"}
    | {"data_inspection_failed"}
)
UNKNOWN = 500  # the status of an error within an answer that tells none

About = Literal["passing", "credit", "all", "question", "content"]


@dataclass(frozen=True)
class ToldError:
    """One error.

    Attributes:
        status: Of HTTP.
        said: What is wrong, in one line.
        codes: What it is called, in small letters.
        is_flagged: Whether a gateway tells why it held the content back.
    """

    status: int
    said: str
    codes: frozenset[str] = frozenset()
    is_flagged: bool = False

    @property
    def about(self) -> About:
        """What it is about: ``all`` is the account, the model or the form of every request, ``content`` a refusal."""
        if self.is_flagged or self.codes & OF_ITS_CONTENT:
            return "content"
        if self.status == 402 or self.codes & NO_CREDIT:
            return "credit"
        if self.status in PASSING or self.status >= 500:
            return "passing"
        return "question" if self.status in OF_A_QUESTION and not self.codes & OF_THE_FORM else "all"


def told_error(status: int, body: object, reason: str) -> ToldError:
    """Return the error of a status with its body, as far as that has a form that is known.

    >>> told_error(402, {"error": {"message": "No credits"}}, "Payment Required").about
    'credit'
    >>> told_error(400, {"message": "max_tokens is too large", "code": 400}, "Bad Request").said
    '400 max_tokens is too large'
    """
    given = body if isinstance(body, Mapping) else {}
    error = given.get("error", given)
    told: Mapping[str, Any] = error if isinstance(error, Mapping) else {"message": error}
    inner, metadata = told.get("innererror"), told.get("metadata")
    codes = [told.get("code"), told.get("type"), inner.get("code") if isinstance(inner, Mapping) else None]
    said = told.get("message") or given.get("detail") or reason
    return ToldError(
        status,
        f"{status} {one_line(ValueError(whole_text(said)))}",
        frozenset(one.casefold() for one in codes if isinstance(one, str)),
        isinstance(metadata, Mapping) and bool(metadata.get("reasons")),
    )


def error_within(answer: Mapping[str, Any]) -> ToldError | None:
    """Return the error that stands in the place of an answer, of the whole of it or of its completion.

    >>> error_within({"error": {"message": "overloaded", "code": 503}}).about
    'passing'
    >>> error_within({"choices": [{"message": {"content": "yes"}}]}) is None
    True
    """
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}
    found = answer.get("error") or first.get("error")
    if not found:
        return None
    code = found.get("code") if isinstance(found, Mapping) else None
    status = int(code) if isinstance(code, int | str) and str(code).isdecimal() and 400 <= int(code) < 600 else UNKNOWN
    return told_error(status, {"error": found}, "an error")


def whole_text(said: object) -> str:
    r"""Return what an endpoint said, a question mark for half of a character, which is legal in JSON and nowhere else.

    >>> whole_text("yes \ud83d")
    'yes ?'
    """
    return str(said).encode("utf-8", "replace").decode()
