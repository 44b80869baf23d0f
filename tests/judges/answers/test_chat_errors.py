"""What an endpoint says where it gives no answer, or one in another form, against a server on the loopback address."""

import math
from pathlib import Path
from typing import Any

import pytest
from chat_judge import CAT, YES, YES_NO, always, ask, made, pictures
from chat_server import ChatServer, Reply, completion, likeliest, question_of

from diptych.errors import ConfigError, DataError
from diptych.judges.answers import chat_client
from diptych.judges.contract import Answer, Query

DOG = Query("A dog?", YES_NO)
NO_PARAMETER = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(chat_client, "FIRST_WAIT_S", 0.01)


def error(message: str, status: int, **more: Any) -> Reply:
    return Reply({"error": {"message": message, **more}}, status)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (error("Insufficient credits", 402), "402 Insufficient credits; the account has no credit left"),
        (error("You exceeded your quota", 429, code="insufficient_quota"), "the account has no credit left"),
        (Reply({"error": {"message": "No credits", "code": 402}}), "402 No credits; the account has no credit left"),
        (error("model retired", 410), "410 model retired; check base_url, model"),
        (error("no such model", 400, code="model_not_found"), "400 no such model; check base_url, model"),
        (error(NO_PARAMETER, 400, code="unsupported_parameter"), "say tokens_field: max_completion_tokens"),
        (error("'temperature' does not support 0", 400, code="unsupported_value"), r"say fields: {temperature: null}"),
        (error("Your credit balance is too low", 400), "balance is too low, and takes no request of this form"),
        (
            Reply({"message": "max_tokens: no integer", "code": 400}, 400),
            "no integer, and takes no request of this form",
        ),
    ],
)
def test_what_is_about_every_request_ends_the_run_and_is_no_answer(fault: Reply, told: str) -> None:
    def usual(body: Any) -> Reply:
        return YES if is_paid else fault

    with ChatServer(usual, [YES]) as server:
        is_paid = True
        judge = made(server, limits={"at_once": 1})
        judge.answers(pictures(), [[CAT]])
        is_paid = False
        with pytest.raises(DataError, match=told) as caught:
            judge.answers(pictures(), [[CAT, DOG]])
        assert "what it answered is kept" in str(caught.value)
        is_paid = True
        (answers,) = judge.answers(pictures(), [[CAT, DOG]])
    assert [answer.text for answer in answers or ()] == ["yes", "yes"]
    assert [question_of(body) for body in server.requests].count(CAT.text) == 1, "paid for once"


@pytest.mark.parametrize(
    "fault",
    [
        error("The response was filtered", 400, code="content_filter"),
        error("flagged", 400, innererror={"code": "ResponsibleAIPolicyViolation"}),
        error("your input was flagged", 403, metadata={"reasons": ["violence"]}),
        Reply({"error": {"message": "filtered", "code": "content_filter"}}),
    ],
)
def test_what_is_filtered_is_refused_and_not_tried_again(fault: Reply) -> None:
    with always(fault) as server:
        answer = ask(server)
    assert (answer.state, len(server.requests)) == ("refused", 1)


@pytest.mark.parametrize("code", [429, 503, "overloaded", None])
def test_error_in_the_place_of_an_answer_is_tried_again_and_told(code: Any) -> None:
    overloaded = Reply({"error": {"message": "Upstream overloaded", "code": code}})
    within = Reply({"choices": [{"message": {"content": ""}, "error": {"message": "Upstream overloaded"}}]})
    with ChatServer(lambda body: YES, [overloaded, within]) as server:
        assert ask(server).text == "yes"
        server.usual = lambda body: overloaded
        with pytest.raises(DataError, match=r"gave no answer in 3 tries: \d+ Upstream overloaded"):
            ask(server, DOG)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ([{"type": "text", "text": "A cat"}], "A cat"),
        ([{"type": "thinking", "thinking": [{"text": "A dog?"}]}, {"type": "text", "text": "A cat"}], "A cat"),
        (["A", " cat"], "A cat"),
        ([], ""),
    ],
)
def test_content_in_parts_is_one_text(content: Any, read: str) -> None:
    with always(Reply(completion(content))) as server:
        answer = ask(server, Query("What is it?"))
    assert answer == Answer("What is it?", (), (), read, "" if read else "unparsed")


def test_refusal_among_the_parts_is_one() -> None:
    with always(Reply(completion([{"type": "refusal", "refusal": "I will not"}]))) as server:  # type: ignore[arg-type]
        assert (ask(server).state, ask(server).text) == ("refused", "I will not")


@pytest.mark.parametrize(
    "told",
    [
        likeliest(),
        {"content": []},
        likeliest(("yes", None)),  # type: ignore[arg-type]
        likeliest(("yes", 1000.0)),
        likeliest(("yes", 0.5), ("no", -1.0)),
        likeliest(("yes", "-0.1")),  # type: ignore[arg-type]
        {"content": [{"top_logprobs": [{"logprob": -0.1}]}]},
        {"content": [{"top_logprobs": "many"}]},
    ],
)
def test_what_is_no_log_probability_is_said_and_never_read_as_one(told: Any, tmp_path: Path) -> None:
    with always(Reply(completion("yes", logprobs=told))) as server:
        with pytest.raises(DataError, match="tells no log-probabilities; say choices_by: text"):
            ask(server, choices_by="logprobs")
        for file in (tmp_path / "kept" / "answers").rglob("*.json"):
            file.unlink()
        server.usual = lambda body: Reply(completion("yes", logprobs=likeliest(("yes", 1e-7), ("no", None))))  # type: ignore[arg-type]
        assert ask(server, choices_by="logprobs").probabilities == (1.0, 0.0)


def test_answers_without_log_probabilities_are_paid_for_once_and_a_rerun_asks_nothing() -> None:
    asked = [[CAT, *(Query(f"Is there a dog {number}?", YES_NO) for number in range(9))]]
    options = {"choices_by": "logprobs", "limits": {"at_once": 1}}
    with always(YES) as server:
        sent = []
        for _ in range(3):
            with pytest.raises(
                DataError, match=r"tells no log-probabilities.* what it answered is kept.*\.json is there"
            ):
                made(server, **options).answers(pictures(), asked)
            sent.append(len(server.requests))
        assert len(set(sent)) == 1, "each run after the first pays for nothing"
        assert ask(server).text == "yes", "as a text"


def test_answer_without_log_probabilities_is_asked_for_again_where_its_file_is_removed(tmp_path: Path) -> None:
    told = likeliest(("Yes", math.log(0.9)), ("No", math.log(0.1)))
    with always(YES) as server:
        with pytest.raises(DataError, match="tells no log-probabilities") as caught:
            ask(server, choices_by="logprobs")
        server.usual = lambda body: Reply(completion("Yes.", logprobs=told))
        (file,) = (tmp_path / "kept" / "answers").rglob("*.json")
        assert str(file) in str(caught.value)
        file.unlink()
        assert ask(server, choices_by="logprobs").probabilities == pytest.approx((0.9, 0.1))
    assert len(server.requests) == 2


def test_answer_without_a_first_token_is_none() -> None:
    cut = completion("", finish_reason="length", logprobs={"content": []})
    with always(Reply(cut)) as server:
        assert ask(server, choices_by="logprobs").state == "unparsed"
    with always(Reply(completion("yes", logprobs=likeliest(("Yes", math.log(0.9)))))) as server:
        assert ask(server, choices_by="logprobs").state == ""


def test_fields_of_a_request_are_added_changed_and_left_out() -> None:
    with always(YES) as server:
        judge = made(
            server,
            limits={"max_new_tokens": 9},
            tokens_field="max_completion_tokens",
            fields={"temperature": None, "reasoning_effort": "low"},
        )
        judge.answers(pictures(), [[CAT]])
        usual = made(server)
        with pytest.raises(ConfigError, match="fields: stream is what the judge says itself"):
            made(server, fields={"stream": True})
    (sent,) = server.requests
    assert (sent["max_completion_tokens"], sent["reasoning_effort"]) == (9, "low")
    assert not {"temperature", "max_tokens"} & set(sent)
    assert judge.identity != usual.identity
