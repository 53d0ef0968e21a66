"""The text while it is written: joined, it is the answer."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.providers.conftest import ask
from tests.providers.wire import STREAMS, ask_server
from workflows.providers.deltas import Deltas, clean

# Any sequence of UTF-16 units: whole characters, halves of pairs, NULs, marks of byte order.
UNITS = st.text(
    st.sampled_from("ab \n\x00é\ufeff\U0001f600\ud83d\ude00\udbff\ud800\udc00"), max_size=12
)
PIECES = {
    "words": ["Hello ", "to ", "all."],
    "one": ["x"],
    "empty ones": ["", "a", "", "", "b", ""],
    "a character cut in two": ["a\ud83d", "\ude00b"],
    "a character cut by nothing": ["\ud83d", "", "\ude00"],
    "a character cut by a NUL": ["\ud83d\x00", "\x00\ude00"],
    "halves alone": ["\ud83d", "x", "\ude00", "\ud83d"],
    "NULs": ["\x00", "a\x00b", "\x00"],
    "space at the ends": ["  ", "\n a", " ", "\n"],
    "thoughts": ["<think>", "no", "</think>", "yes"],
    "a mark of byte order": ["\ufeff", "a"],
}


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
def test_the_pieces_are_the_text(make_request, provider, pieces):
    heard = []
    answer = STREAMS[provider](*map(escaped, pieces))
    completion, _ = ask_server(answer, make_request, provider, on_delta=heard.append)
    assert "".join(heard) == completion.text
    assert "" not in heard
    if pieces != PIECES["thoughts"]:
        assert completion.text == clean("".join(pieces))
    completion.text.encode()


@given(st.lists(UNITS, max_size=8))
def test_cutting_changes_nothing(pieces):
    heard = []
    deltas = Deltas(heard.append)
    for piece in pieces:
        deltas.add(piece)
    deltas.end()
    assert "".join(heard) == clean("".join(pieces))
    for piece in heard:
        piece.encode()


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(UNITS, max_size=6))
def test_any_stream_of_either_protocol(make_request, provider, pieces):
    heard = []
    answer = STREAMS[provider](*map(escaped, pieces))
    completion, _ = ask_server(answer, make_request, provider, on_delta=heard.append)
    assert "".join(heard) == completion.text


def test_a_listener_that_fails_costs_nothing(llmock, make_request, provider, caplog):
    llmock.reply("One two three four.")
    heard = []

    def listen(text):
        heard.append(text)
        raise ValueError("deaf")

    completion = ask(make_request(provider), on_delta=listen)
    assert completion.text == "One two three four."
    assert len(heard) == 1
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1


def test_nobody_need_listen(llmock, make_request, provider):
    llmock.reply("One two three four.")
    assert ask(make_request(provider)).text == "One two three four."
