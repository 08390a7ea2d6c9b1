"""What must not be shown is taken out of messages, logs and records."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagster_project.frames import records
from dagster_project.maintainx.redaction import guard_logs, hide, redact


@contextmanager
def logged(path: Path) -> Generator[None]:
    """Write every log record of this process, from DEBUG on, guarded as the program guards it."""
    root, factory, handler = logging.getLogger(), logging.getLogRecordFactory(), logging.FileHandler(path)
    level = root.level
    guard_logs()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def test_i4_a_careless_log_line_is_redacted_before_any_handler_sees_it(tmp_path):
    path, token = tmp_path / "careless.log", "a-token-that-nobody-else-has"
    hide(token)
    with logged(path):
        log = logging.getLogger("anything")
        log.warning("GET https://mx.example/v1/users?email=%s by %s", "ann@example.org", "Bearer " + token)
        log.warning("it was %s", {"token": token})
        log.warning("100 % of two words are left as they are")
        for name in ("httpx", "httpcore", "httpcore.http11", "urllib3.connectionpool"):
            logging.getLogger(name).info("HTTP Request: GET https://mx.example/v1/users?email=ann")
    assert path.read_text().splitlines() == [
        "GET https://mx.example/v1/users?<query> by Bearer <hidden>",
        "it was {'token': '<hidden>'}",
        "100 % of two words are left as they are",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask ann.lee@example.org, or bob%40example.org", "ask <e-mail> or <e-mail>"),
        ("GET https://x.example/v1/users?email=a&limit=1 failed", "GET https://x.example/v1/users?<query> failed"),
        ("https://user:word@x.example/", "https://<user>@x.example/"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer <hidden>"),
        ("key eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "key <hidden>"),
        ("mx_00000000-0000-4000-8000-000000000001_00000000-0000-4000-8000-000000000002", "<hidden>"),
        ("order 7 of 12: what is left? nothing", "order 7 of 12: what is left? nothing"),
        ("GET /workorders failed: status 502", "GET /workorders failed: status 502"),
    ],
    ids=["e-mails", "query", "user", "bearer", "web token", "webhook secret", "question", "usual"],
)
def test_i4_what_must_not_be_shown_is_taken_out_and_nothing_else(text, shown):
    assert redact(text) == shown


def test_a_short_token_is_not_cut_out_of_every_sentence():
    hide("demo")
    assert redact("make demo") == "make demo"


@pytest.mark.parametrize("name", sorted(records.PERSONAL_KEYS | records.SIGNED_URL_KEYS))
def test_i4_a_personal_key_is_dropped_at_any_depth_however_its_name_is_written(name):
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    for spelt in (name, escaped):
        raw = f'{{"id":1,"inner":[{{"deep":{{"{spelt}":"canary"}}}}],"{spelt}":"canary"}}'.encode()
        assert b"canary" not in records.canonical(raw, (), False).payload
        assert "canary" not in records.rejected(raw, "type", "x").raw_json


def test_i4_the_value_of_a_refused_field_is_shown_without_what_is_personal_inside_it():
    refused = records.key(b'{"id":{"email":"canary","list":[{"phoneNumber":"canary"}]},"hourlyRate":"canary"}', 101)
    assert isinstance(refused, records.Rejected)
    assert (refused.field, refused.value) == ("id", "{'list': [{}]}")
    assert "canary" not in repr(refused)
