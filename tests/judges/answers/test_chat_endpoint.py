"""A judge behind an endpoint, against a server on the loopback address that speaks the protocol and misbehaves."""

import base64
import io
import json
import math
import pickle
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from chat_judge import CAT, YES, YES_NO, always, ask, made, pictures
from chat_server import ChatServer, Reply, completion, likeliest, question_of
from photo_runs import run_killed_and_resumed
from PIL import Image

from diptych.errors import ConfigError, DataError
from diptych.judges import make_judge
from diptych.judges.answers import chat_client, request_turns
from diptych.judges.answers.chat_answers import answer_of
from diptych.judges.contract import Answer, Query


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(chat_client, "FIRST_WAIT_S", 0.01)


def first_token_told(told: Iterable[tuple[str, float]]) -> Any:
    logprobs = likeliest(*((token, math.log(probability)) for token, probability in told))
    return completion("x", logprobs=logprobs)["choices"][0]


def test_a_question_is_one_request_with_the_picture_before_it() -> None:
    with always(YES) as server:
        answer = ask(server, system="Be brief.", limits={"max_new_tokens": 9})
        ask(server, Query("What is it?"))
    assert answer == Answer(CAT.text, YES_NO, (1.0, 0.0), "yes")
    first = dict(server.requests[0])
    shown = first["messages"][1]["content"][0]["image_url"]["url"]
    kind, _, data = shown.partition(",")
    assert kind == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), np.asarray(pictures()[0]))
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert first["messages"][1]["content"][1] == {"type": "text", "text": CAT.text}
    assert {name: first[name] for name in ("path", "model", "temperature", "max_tokens")} == {
        "path": "/v1/chat/completions",
        "model": "tiny",
        "temperature": 0,
        "max_tokens": 9,
    }
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    "fault",
    [
        Reply({"error": {"message": "slow down"}}, 429),
        Reply({"error": {"message": "broken"}}, 500),
        Reply(b"<html>bad gateway</html>", 502),
        Reply(b'{"choices": [{"index": 0, "mess'),
        Reply(completion("Yes.") | {"cut": "x"}, claimed_length=9000),
        Reply(["no", "object"]),
        Reply(b"[" * 200_000),
        Reply(b"[" * 200_000, 500),
        Reply({}, 429, {"Retry-After": "1 Jan 99999 00:99999999999999999999:00 PST"}),
    ],
    ids=["429", "500", "502", "cut JSON", "cut body", "no object", "nested", "nested error", "no date"],
)
def test_what_may_pass_is_tried_again(fault: Reply) -> None:
    if fault.claimed_length:
        fault = Reply(json.dumps(fault.body).encode()[:-30], claimed_length=9000)
    with ChatServer(lambda body: YES, [fault, fault]) as server:
        assert ask(server).text == "yes"
    assert len(server.requests) == 3


def test_server_that_hangs_is_left_and_asked_again() -> None:
    with ChatServer(lambda body: YES, [Reply(completion("No."), after_s=4.0)]) as server:
        assert ask(server, limits={"timeout_s": 1}).text == "yes"
    assert len(server.requests) == 2


def test_server_that_stays_away_ends_the_run_in_one_line_and_what_it_answered_is_kept() -> None:
    def usual(body: Any) -> Reply:
        return YES if question_of(body) == CAT.text else Reply({"error": {"message": "out of\nmemory"}}, 503)

    asked = [[CAT, Query("Is there a dog?", YES_NO)]]
    with ChatServer(usual) as server:
        judge = made(server, limits={"at_once": 1})
        with pytest.raises(DataError, match=r"gave no answer in 3 tries: 503 out of memory; run again to go on"):
            judge.answers(pictures(), asked)
        server.usual = lambda body: YES
        judge.answers(pictures(), asked)
    assert [question_of(body) for body in server.requests].count(CAT.text) == 1, "paid for once"


@pytest.mark.parametrize("said", ["7", "300", "date"])
def test_server_says_how_long_to_wait(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    slept, started = list[float](), time.time()
    clock = SimpleNamespace(time=lambda: started + sum(slept), sleep=slept.append)
    monkeypatch.setattr(request_turns, "time", clock)
    monkeypatch.setattr(chat_client, "time", clock)
    header = formatdate(started + 30, usegmt=True) if said == "date" else said
    with ChatServer(lambda body: YES, [Reply({}, 429, {"Retry-After": header}), Reply({}, 429)]) as server:
        ask(server)
    waits = [wait for wait in slept if wait >= 0.01]
    assert waits[0] == pytest.approx(29.5 if said == "date" else float(said), abs=1.5)
    assert waits[1] == pytest.approx(0.02), "twice as long as the first where nothing is said"


@pytest.mark.parametrize(("said", "told"), [("86400", "86,400 s"), ("1e999", "for ever")])
def test_server_that_asks_to_wait_for_longer_than_an_hour_ends_the_run(said: str, told: str) -> None:
    told = f"says 429 .* asks to wait {told}; run again then: what it answered is kept"
    with always(Reply({}, 429, {"Retry-After": said})) as server, pytest.raises(DataError, match=told):
        ask(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_what_is_wrong_with_the_config_is_said_at_once_and_never_with_the_key(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("TINY_KEY", "sk-secret-123")
    fault = Reply({"error": {"message": "no such key: sk-secret-123"}}, status, {"Location": "http://127.0.0.1:9/"})
    with always(fault) as server, pytest.raises(DataError, match=f"says {status} .*check base_url, model") as caught:
        ask(server, key_variable="TINY_KEY")
    assert len(server.requests) == 1
    assert "secret" not in str(caught.value)
    assert server.headers[0]["Authorization"] == "Bearer sk-secret-123"


def test_key_is_named_by_its_variable_and_stands_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with always(YES) as server:
        with pytest.raises(ConfigError, match="the environment variable TINY_KEY is not set"):
            ask(server, key_variable="TINY_KEY")
        monkeypatch.setenv("TINY_KEY", "sk-secret-123")
        ask(server, key_variable="TINY_KEY")
        judge = made(server, key_variable="TINY_KEY")
    assert "secret" not in json.dumps(judge.identity)
    assert b"secret" not in pickle.dumps(judge)
    files = [file for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    assert files
    assert all(b"secret" not in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("body", "state", "text"),
    [
        (completion(None, refusal="I cannot help with that."), "refused", "I cannot help with that."),
        (completion("", finish_reason="content_filter"), "refused", ""),
        (completion("Hard to say."), "unparsed", "Hard to say."),
        (completion("It may be yes, it may be no."), "unparsed", "It may be yes, it may be no."),
        (completion(""), "unparsed", ""),
        (completion("Hard to say \ud83d"), "unparsed", "Hard to say ?"),
        (completion(None, refusal="I cannot \ud83d"), "refused", "I cannot ?"),
        (completion("<think>There is no dog, but"), "unparsed", "<think>There is no dog, but"),
        (completion("There is no dog, but", finish_reason="length"), "unparsed", "There is no dog, but"),
    ],
)
def test_what_is_no_answer_is_a_state_and_no_number(body: Any, state: str, text: str) -> None:
    with always(Reply(body)) as server:
        answer = ask(server)
        assert answer == Answer(CAT.text, YES_NO, (), text, state, words=answer.words)
        assert answer.words in ("", text)


def test_words_that_name_no_choice_are_kept_for_rules_that_read_them_otherwise() -> None:
    with always(Reply(completion("<think>Hm.</think>It may be yes, it may be no."))) as server:
        assert ask(server).words == "It may be yes, it may be no."


def test_request_that_the_endpoint_will_not_take_is_that_questions_own_failure() -> None:
    def usual(body: Any) -> Reply:
        fault = Reply({"error": {"message": "too many pixels \ud83d"}}, 400)
        return fault if question_of(body) == "A dog?" else YES

    with ChatServer(usual) as server:
        (answers,) = made(server).answers(pictures(), [[Query("A dog?", YES_NO), CAT]])
    assert [(answer.state, answer.text) for answer in answers or ()] == [
        ("failed", "400 too many pixels ?"),
        ("", "yes"),
    ]


@pytest.mark.parametrize(
    ("text", "choices", "chosen"),
    [
        ("Yes, I see no dog.", YES_NO, "yes"),
        ("**No**", YES_NO, "no"),
        ("The answer is: yes", YES_NO, "yes"),
        ("2", ("two", "three"), "two"),
        ("There are three.", ("2", "3"), "3"),
        ("A red car", ("red", "a red car"), "a red car"),
        ("notable", YES_NO, None),
        ("<think>No dog. A cat?</think>\n\nYes.", YES_NO, "yes"),
        ("No dog. A cat?</think>\n\nYes.", YES_NO, "yes"),
    ],
)
def test_choice_that_a_text_names_is_certain(text: str, choices: tuple[str, ...], chosen: str | None) -> None:
    with always(Reply(completion(text))) as server:
        answer = ask(server, Query("?", choices))
    assert (answer.text, answer.state) == ((chosen, "") if chosen else (text, "unparsed"))
    assert answer.probabilities == (tuple(float(one == chosen) for one in choices) if chosen else ())


def test_log_probabilities_are_those_of_the_first_tokens_in_any_order() -> None:
    told = likeliest(
        (" no", math.log(0.2)), ("Perhaps", math.log(0.1)), ("YES", math.log(0.3)), ("Yes", math.log(0.25))
    )
    second = {"index": 1, "message": {"content": "No."}}
    body = completion("Yes.", logprobs=told)
    body["choices"].insert(0, second)
    with always(Reply(body)) as server:
        answer = ask(server, choices_by="logprobs")
        assert ask(server, Query("What?"), choices_by="logprobs").text == "Yes."
    assert answer.probabilities == pytest.approx((0.55, 0.2))
    assert answer.text == "yes"
    assert (server.requests[0]["logprobs"], server.requests[0]["top_logprobs"]) == (True, 20)
    assert "logprobs" not in server.requests[1]


@pytest.mark.parametrize(
    ("choices", "told", "probabilities"),
    [
        (("yes", "no", "not sure"), (("No", 0.99), ("Yes", 0.004), ("Not", 0.002)), (0.004, 0.99, 0.002)),
        (("1", "2", "10"), (("1", 0.98), ("2", 0.01)), (0.98, 0.01, 0.0)),
        (("park", "parking lot"), (("park", 0.9), ("parking", 0.05)), (0.9, 0.05)),
        (("a woman", "a man", "nobody"), (("a", 0.35), ("nobody", 0.6)), (0.0, 0.0, 0.6)),
    ],
)
def test_token_that_is_the_whole_of_a_choice_is_that_choices(
    choices: tuple[str, ...], told: tuple[tuple[str, float], ...], probabilities: tuple[float, ...]
) -> None:
    answer = answer_of(Query("?", choices), first_token_told(told), "logprobs")
    assert (answer.state, answer.text) == ("", choices[probabilities.index(max(probabilities))])
    assert answer.probabilities == pytest.approx(probabilities)


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (("a woman", "a man", "nobody"), (("a", 0.48), ("nobody", 0.3), ("a woman", 0.22))),
        (YES_NO, (("So", 0.56), ("Got", 0.43), ("Yes", 2e-6))),
        (YES_NO, (("Perhaps", 0.51), ("Yes", 0.3), ("No", 0.19))),
    ],
)
def test_first_token_that_tells_no_choice_is_no_answer(
    choices: tuple[str, ...], told: tuple[tuple[str, float], ...]
) -> None:
    answer = answer_of(Query("?", choices), first_token_told(told), "logprobs")
    assert (answer.state, answer.probabilities) == ("unparsed", ())


def test_endpoint_without_log_probabilities_is_never_mixed_with_one_that_tells_them() -> None:
    with always(YES) as server:
        with pytest.raises(DataError, match="tells no log-probabilities; say choices_by: text"):
            ask(server, choices_by="logprobs")
        assert made(server).identity != made(server, choices_by="logprobs").identity


def test_something_else_than_an_endpoint_is_named() -> None:
    with always(Reply({"hello": "world"})) as server, pytest.raises(DataError, match="sent no completion"):
        ask(server)


def test_answers_stay_with_their_questions_however_they_come_in() -> None:
    def usual(body: Any) -> Reply:
        number = int(question_of(body))
        return Reply(completion(f"said {number}"), after_s=0.05 * (7 - number))

    asked = [[Query(str(4 * image + place)) for place in range(4)] for image in range(2)]
    with ChatServer(usual) as server:
        said = made(server, limits={"at_once": 8}).answers(pictures(2), asked)
    assert [[answer.text for answer in some or ()] for some in said] == [
        [f"said {4 * image + place}" for place in range(4)] for image in range(2)
    ]


def test_requests_of_all_workers_keep_the_pace_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(request_turns, "time", SimpleNamespace(time=lambda: 5.0, sleep=waits.append))
    with always(YES) as server:
        for start in (0, 4):  # a client each, as two workers have
            judge = made(server, limits={"requests_per_minute": 600, "at_once": 4})
            judge.answers(pictures(8)[start : start + 4], [[CAT]] * 4)
    assert sorted(waits) == pytest.approx([0.1 * number for number in range(8)]), "the clock stands"


def test_what_an_answer_cost_and_how_long_it_took_is_kept(tmp_path: Path) -> None:
    with always(YES) as server:
        ask(server)
    (file,) = (tmp_path / "kept" / "answers").rglob("*.json")
    kept = json.loads(file.read_text("utf-8"))
    assert kept["usage"] == {"prompt_tokens": 85, "completion_tokens": 1}
    assert kept["model"] == "tiny-0001"
    assert kept["seconds"] > 0


def test_another_question_picture_or_setting_is_paid_for_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    with always(YES) as server:
        ask(server)
        ask(server)
        assert len(server.requests) == 1
        ask(server, Query("A dog?", YES_NO))
        ask(server, system="Be brief.")
        made(server).answers(pictures(2)[1:], [[CAT]])
        assert len(server.requests) == 4
        for file in (tmp_path / "kept").rglob("*.json"):
            file.write_text("{", "utf-8")
        ask(server)
        assert len(server.requests) == 5


def test_the_same_asked_twice_at_once_is_one_request_whatever_the_choices() -> None:
    asked = [[CAT, Query(CAT.text, ("no", "yes")), CAT, Query(CAT.text)]]
    with always(YES) as server:
        (answers,) = made(server).answers(pictures(), asked)
    assert len(server.requests) == 1
    assert [answer.probabilities for answer in answers or ()] == [(1.0, 0.0), (0.0, 1.0), (1.0, 0.0), ()]


def test_two_workers_that_ask_the_same_at_once_pay_once() -> None:
    with always(Reply(YES.body, after_s=0.3)) as server, ThreadPoolExecutor(2) as workers:
        judges = [made(server), made(server)]
        found = list(workers.map(lambda judge: judge.answers(pictures(), [[CAT]]), judges))
    assert len(server.requests) == 1
    assert found[0] == found[1]


def test_picture_is_made_smaller_where_it_has_more_pixels_than_the_limit() -> None:
    with always(YES) as server:
        few = made(server, limits={"max_pixels": 150})
        few.answers(pictures(), [[CAT]])
    data = server.requests[0]["messages"][0]["content"][0]["image_url"]["url"].partition(",")[2]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (15, 10)
    assert few.identity["picture"] == {"format": "png", "max_pixels": 150}


def test_nobody_elsewhere_is_contacted_where_downloads_are_switched_off() -> None:
    judge = make_judge("chat_endpoint", {"base_url": "https://api.example/v1", "model": "m"})
    with pytest.raises(ConfigError, match=r"https://api.example/v1 is elsewhere, and downloads are off"):
        judge.answers(pictures(), [[CAT]])  # type: ignore[attr-defined]
    assert judge.answers(pictures(), [[]]) == [[]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url", ["api.example/v1", "ftp://api.example", "https://me:key@api.example", "https://a/v1?key=1"]
)
def test_address_that_is_none_of_an_api_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url is like https://host/v1, without a key in it"):
        make_judge("chat_endpoint", {"base_url": url, "model": "m"})


def test_limit_below_one_is_refused() -> None:
    with always(YES) as server, pytest.raises(ConfigError, match="limits: tries is at least 1, not 0"):
        made(server, limits={"tries": 0})


def test_killed_run_of_two_workers_over_photographs_pays_for_no_answer_twice(tmp_path: Path, shared: Path) -> None:
    def usual(body: Any) -> Reply:
        return Reply(completion("Yes." if len(str(body)) % 2 else "No."))

    with ChatServer(usual, [Reply({}, 500)]) as server:
        answers = run_killed_and_resumed(tmp_path, shared, "chat_endpoint", {"base_url": server.url, "model": "tiny"})
    assert len(answers) == 7
    assert len(server.requests) == 7 + 1, "and one that failed"
