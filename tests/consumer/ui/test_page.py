"""The page's files, what a browser may do with them, and who may read and write."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from urllib.parse import quote

import msgspec
import pytest
from starlette.testclient import TestClient

from driftline.consumer.log.errors import Unreachable
from driftline.consumer.ui import api
from driftline.consumer.ui.access import COOKIE, Access
from driftline.consumer.ui.body import Body, Kept
from driftline.consumer.ui.files import HEADERS, PageFiles
from driftline.consumer.ui.listeners import Listeners
from driftline.consumer.ui.page import _Reach
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.wire.messages import Acceptance

from . import double
from .conftest import HOST, Visit
from .double import ALERT_ID, FEATURE, MODEL, Literal

TOKEN = "s3cret-token"
MARKS = f"{api.PREFIX}/alerts/{ALERT_ID}/marks"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
GUARDED = Access(TOKEN, guarded=True, hosts=None)


def test_the_page_may_run_what_is_served_here_and_its_map_of_imports(client: TestClient) -> None:
    answer = client.get("/")
    digest = base64.b64encode(hashlib.sha256(b'{"imports": {}}').digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'self'; script-src 'self' 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_real_page_is_there_with_all_that_it_loads() -> None:
    files = PageFiles()
    page = files.index.content.decode()
    for name in re.findall(r'(?:src|href)="static/([^"]+)"', page):
        assert files.get(name), name


def test_files_are_served_from_memory(client: TestClient) -> None:
    script = client.get("/static/app.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["cache-control"] == "no-cache"
    again = client.get("/static/app.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status_code == 304
    picture = client.get("/static/picture.png")
    assert picture.headers["content-type"] == "image/png"
    assert "content-encoding" not in picture.headers
    assert client.get("/static/vendor/x.LICENSE").text == "MIT"


@pytest.mark.parametrize("name", ["nothing.js", "../app.py", "..%2Fapp.py", "%2e%2e/app.py", ""])
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert "Starlette" not in answer.text


def test_an_unknown_address_is_the_page_which_says_so(client: TestClient) -> None:
    answer = client.get("/models/a/b/c/d")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


# This host, and pages of other sites.


@pytest.mark.parametrize("path", ["/", f"{api.PREFIX}/models", "/static/app.js"])
def test_another_name_for_this_host_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example:9110"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == (
        "evil.example:9110 is no name of this page: set ui.url to the address that people use"
    )
    assert client.get("/livez", headers={"Host": "10.0.0.7:9110"}).json() == {"ok": True}


def mark(client: TestClient, **headers: str) -> int:
    body = {"action": "acknowledge", "who": "ada"}
    return client.post(MARKS, json=body, headers={**BEARER, **headers}).status_code


def test_a_mark_is_written(visit: Visit, source: Literal) -> None:
    body = {"action": "snooze", "who": "ada", "why": "release", "until": "2027-01-01T00:00:00Z"}
    answer = visit(Access(TOKEN)).post(MARKS, json=body, headers=BEARER)
    assert (answer.status_code, answer.content) == (200, msgspec.json.encode(double.MARKS))
    assert source.marked == [(ALERT_ID, msgspec.convert(body, MarkRequest))]


ACCEPTANCES = f"{api.PREFIX}/models/{quote(MODEL, safe='')}/acceptances"


def test_the_present_is_accepted(visit: Visit, source: Literal) -> None:
    client = visit(Access(TOKEN))
    body = {"feature": FEATURE, "who": "ada", "why": "a new market"}
    answer = client.post(ACCEPTANCES, json=body, headers=BEARER)
    assert answer.status_code == 200
    made = msgspec.json.decode(answer.content, type=Acceptance)
    assert (made.model, made.feature, made.who, made.why) == (MODEL, *body.values())
    whole = client.post(ACCEPTANCES, json={**body, "feature": ""}, headers=BEARER)
    assert whole.json()["feature"] == ""
    refused = visit(Access()).post(ACCEPTANCES, json=body)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "acceptances are not written here: start the page with --token-file",
    )


@pytest.mark.parametrize(
    ("place", "more", "status", "detail"),
    [
        (ACCEPTANCES, {"why": ""}, 400, "why: write 1 to 2,000 characters"),
        (ACCEPTANCES, {"feature": "nothing"}, 404, f"nothing: {MODEL} has no such feature"),
        (
            ACCEPTANCES,
            {"feature": "performance.mae"},
            400,
            "performance.mae: the present of features can be accepted, not that of metrics: build a"
            " reference of predictions that are good enough",
        ),
        (ACCEPTANCES, {"until": "x"}, 400, "the acceptance: Object contains unknown field `until`"),
        (f"{api.PREFIX}/models/none/acceptances", {}, 404, "none: there is no such model"),
    ],
)
def test_what_is_not_accepted(
    visit: Visit, place: str, more: dict[str, str], status: int, detail: str
) -> None:
    body = {"feature": FEATURE, "who": "ada", "why": "a new market", **more}
    answer = visit(Access(TOKEN)).post(place, json=body, headers=BEARER)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_who_may_write(visit: Visit, source: Literal) -> None:
    client = visit(Access(TOKEN))
    assert client.get(f"{api.PREFIX}/models").status_code == 200  # reading is open here
    assert mark(client, Origin=HOST) == 200
    assert mark(client, Authorization="Bearer wrong") == 401
    assert mark(client, Authorization="") == 401
    assert mark(client, Origin="http://evil.example") == 403
    assert mark(client, Origin="null") == 403
    assert mark(client, Host="evil.example") == 403
    assert len(source.marked) == 1
    refused = visit(Access()).post(MARKS, json={"action": "snooze"})
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "marks are not written here: start the page with --token-file",
    )


@pytest.mark.parametrize(
    ("content", "kind", "status", "detail"),
    [
        (b"{", "application/json", 400, "the mark: Input data was truncated"),
        (
            b'{"action":"like"}',
            "application/json",
            400,
            "the mark: Invalid enum value 'like' - at `$.action`",
        ),
        (b'{"action":"snooze"}', "text/plain", 415, "send it with Content-Type: application/json"),
        (b" " * 20_000, "application/json", 413, "at most 16,384 bytes are taken"),
    ],
)
def test_what_cannot_be_a_mark(
    visit: Visit, content: bytes, kind: str, status: int, detail: str
) -> None:
    headers = {**BEARER, "Content-Type": kind}
    answer = visit(Access(TOKEN)).post(MARKS, content=content, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_a_mark_of_no_alert(visit: Visit) -> None:
    answer = visit(Access(TOKEN)).post(
        MARKS.replace(ALERT_ID, "a%2Fb"), json={"action": "acknowledge"}, headers=BEARER
    )
    assert (answer.status_code, answer.json()["detail"]) == (404, "a/b: there is no such alert")


def test_a_broker_that_is_away_is_said(visit: Visit, source: Literal) -> None:
    source.failure = Unreachable("localhost:9092 does not answer")
    answer = visit(Access(TOKEN)).post(MARKS, json={"action": "acknowledge"}, headers=BEARER)
    assert (answer.status_code, answer.json()["detail"]) == (503, "localhost:9092 does not answer")


# Where reading needs the token.


def test_programs_send_the_token(visit: Visit) -> None:
    client, path = visit(GUARDED), f"{api.PREFIX}/models"
    refused = client.get(path)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        401,
        'Bearer realm="driftline"',
    )
    assert client.get(path, headers={"Authorization": "Basic x"}).status_code == 401
    assert client.get(path, headers=BEARER).status_code == 200
    assert client.get("/static/app.js").status_code == 401
    assert client.get("/livez").status_code == 200


def test_people_type_it_once(visit: Visit) -> None:
    client = visit(GUARDED)
    asked = client.get("/alerts/x")
    assert asked.status_code == 401
    assert '<form method="post" action="/sign-in">' in asked.text
    wrong = client.post("/sign-in", data={"token": "wrong"})
    assert (wrong.status_code, COOKIE in client.cookies) == (401, False)
    assert "This is not the token." in wrong.text
    foreign = client.post("/sign-in", data={"token": TOKEN}, headers={"Origin": "http://x.example"})
    assert foreign.status_code == 403
    entered = client.post("/sign-in", data={"token": TOKEN}, headers={"Origin": HOST})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict"} <= set(entered.headers["set-cookie"].split("; "))
    assert TOKEN not in entered.headers["set-cookie"]
    assert client.get(f"{api.PREFIX}/models").status_code == 200
    # It reads and does not write, so no other site can write with it.
    body = {"action": "acknowledge"}
    assert client.post(MARKS, json=body).status_code == 401
    client.cookies.clear()
    client.cookies.set(COOKIE, "x")
    assert client.get(f"{api.PREFIX}/models").status_code == 401


def test_behind_tls_the_cookie_stays_there(visit: Visit) -> None:
    answer = visit(GUARDED).post(
        "/sign-in", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "Secure" in answer.headers["set-cookie"]


# What is kept.


def test_an_answer_is_made_anew_after_a_change_and_after_some_seconds() -> None:
    now, version, made = [0.0], [1], []

    def make() -> Body:
        made.append(now[0])
        return Body(b"x", "text/plain")

    kept = Kept(lambda: now[0])
    for moment, number in ((0.0, 1), (9.0, 1), (11.0, 1), (12.0, 2)):
        now[0], version[0] = moment, number
        kept.body("a", lambda: version[0], make)
    assert made == [0.0, 11.0, 12.0]


def test_an_answer_that_waits_keeps_no_other_waiting() -> None:
    """With any number of keys at once: none shares what it waits on with another."""
    kept, begun, go = Kept(lambda: 0.0), threading.Event(), threading.Event()

    def slow() -> Body:
        begun.set()
        go.wait()
        return Body(b"slow", "text/plain")

    waiting = threading.Thread(target=kept.body, args=("slow", lambda: 1, slow))
    waiting.start()
    begun.wait()
    try:
        for key in range(100):
            body = kept.body(key, lambda: 1, lambda: Body(b"soon", "text/plain"))
            assert body.content == b"soon"
    finally:
        go.set()
        waiting.join()
    assert kept.body("slow", lambda: 1, slow).content == b"slow"
    assert kept._making == {}


def test_few_answers_are_kept() -> None:
    made: list[int] = []
    kept = Kept(lambda: 0.0)
    for key in (*range(100), 99, 0):
        kept.body(key, lambda: 1, lambda key=key: made.append(key) or Body(b"", "x"))  # type: ignore[misc, func-returns-value]  # a lambda that notes
    assert made == [*range(100), 0]


def test_what_cannot_be_read_is_said_once(
    listeners: Listeners, caplog: pytest.LogCaptureFixture
) -> None:
    reach = _Reach(listeners)
    for problem in (None, "away", "away", None, None):
        reach.look(problem)
    assert caplog.messages == [
        "the topics cannot be read, trying on: away",
        "the topics are read again",
    ]
