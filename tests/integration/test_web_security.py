"""Nobody but the holder of the token, on the server's own page, gets in; and nobody breaks anything."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from contextlib import closing
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from pickem.web.security import LARGEST_BODY
from tests.fixtures.labelling_server import COOKIE, LIMIT, PAGE, TOKEN, Client, contents, serving
from tests.fixtures.tiny_project import make_tiny_project

SIDE = 32  # pixels of a patch
SAVE = "/api/patches/{number}/mask?revision=0&state=submitted"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_project(tmp_path_factory.mktemp("security"))


@pytest.fixture(scope="module")
def page(project: Path) -> Iterator[Client]:
    with serving(project) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_changes(project: Path) -> Iterator[None]:
    """No request of this file may change the project."""
    before = but_leases(project)
    yield
    assert but_leases(project) == before


def but_leases(project: Path) -> list[str]:
    """The database without who is at work on what: that is written whenever a patch is served."""
    return [line for line in contents(project) if "leases" not in line]


@pytest.fixture
def save(page: Client) -> str:
    """The path that saves a mask of the patch served next."""
    return SAVE.format(number=page.read("next")["id"])


READS = ["/", "/static/page.js", "/api/project", "/api/next", "/api/openapi.json", "/api/events", "/nowhere"]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "\xfc"])
def test_without_the_token_nothing_is_shown(page: Client, path: str, token: str | None) -> None:
    given = {} if token is None else {"X-Pickem-Token": token}
    assert Client(page.address, given).ask("GET", path).status_code == 401
    cookie = {} if token is None else {"Cookie": f"{COOKIE}={token}"}
    assert Client(page.address, cookie).ask("GET", path).status_code == 401


def test_without_the_token_nothing_is_saved(page: Client, save: str) -> None:
    stranger = Client(page.address, {"X-Pickem": "1"})
    assert stranger.ask("PUT", save, data=bytes(SIDE * SIDE)).status_code == 401
    assert stranger.ask("POST", "/api/patches/1/skip").status_code == 401


def test_the_token_moves_from_the_address_into_a_cookie(page: Client) -> None:
    answer = Client(page.address, {}).ask("GET", f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert (cookie.key, cookie.value, cookie["path"]) == (COOKIE, TOKEN, "/")
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "lax"
    with_cookie = Client(page.address, {"Cookie": f"{COOKIE}={TOKEN}"})
    assert with_cookie.ask("GET", "/").status_code == 200
    assert with_cookie.ask("GET", "/api/project").status_code == 200


@pytest.mark.parametrize("path", ["/?token=wrong", "/?token=", f"/api/project?token={TOKEN}"])
def test_an_address_opens_only_the_page_and_only_with_the_token(page: Client, path: str) -> None:
    answer = Client(page.address, {}).ask("GET", path)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "evil@evil:80"])
def test_a_foreign_host_is_refused(page: Client, save: str, host: str) -> None:
    assert page.ask("GET", "/api/project", headers={"Host": host}).status_code in (400, 403)
    refused = page.ask("PUT", save, headers={"Host": host}, data=bytes(SIDE * SIDE))
    assert refused.status_code in (400, 403)
    welcome = Client(page.address, {}).ask("GET", f"/?token={TOKEN}", headers={"Host": host})
    assert welcome.status_code in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_its_own_names_are_answered(page: Client, host: str) -> None:
    assert page.ask("GET", "/api/project", headers={"Host": f"{host}:{page.port}"}).status_code == 200


def test_served_everywhere_it_answers_to_the_number_at_which_it_is_reached(project: Path) -> None:
    with serving(project, host="0.0.0.0") as page:
        elsewhere = Client(f"http://127.0.0.2:{page.port}")
        assert elsewhere.ask("GET", "/api/project").status_code == 200
        for host in ("127.0.0.3", "evil.example"):
            assert elsewhere.ask("GET", "/api/project", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "http://[", ""]
)
def test_a_foreign_origin_may_not_write(page: Client, save: str, origin: str) -> None:
    refused = page.ask("PUT", save, headers={"Origin": origin}, data=bytes(SIDE * SIDE))
    assert refused.status_code == 403
    assert page.ask("POST", "/api/patches/1/skip", headers={"Origin": origin}).status_code == 403


def test_a_write_without_the_pages_own_header_is_refused(page: Client, save: str) -> None:
    form = Client(page.address, {"X-Pickem-Token": TOKEN})  # a form on a foreign page can set no header
    assert form.ask("PUT", save, data=bytes(SIDE * SIDE)).status_code == 403
    assert form.ask("POST", "/api/patches/1/skip").status_code == 403


@pytest.mark.parametrize("up", ["..", "%2e%2e", "..%2f", "..%5c", "....//", "%252e%252e", "./.."])
@pytest.mark.parametrize(
    ("below", "target"),
    [
        ("/static", "app.py"),
        ("/static/canvas", "../app.py"),
        ("/static", "etc/passwd"),
        ("/api", "app.py"),
        ("/api/patches", "project.sqlite"),
    ],
)
def test_no_path_leads_out(page: Client, up: str, below: str, target: str) -> None:
    for depth in (1, 2, 12):
        status, body = _raw(page, "GET", f"{below}/{f'{up}/' * depth}{target}")
        assert 400 <= status < 500
        assert b"import" not in body
        assert b"root:" not in body
        assert not body.startswith(b"SQLite")


@pytest.mark.parametrize(
    "path", ["/static//etc/passwd", "/static/%2fetc/passwd", "/static/a%00b", "/static/"]
)
def test_no_other_file_is_served(page: Client, path: str) -> None:
    status, body = _raw(page, "GET", path)
    assert 400 <= status < 500
    assert b"root:" not in body


@pytest.mark.parametrize("length", [str(LARGEST_BODY + 1), "9" * 30, "²"])
def test_a_body_that_says_it_is_too_large_is_not_read(page: Client, save: str, length: str) -> None:
    status, _ = _raw(page, "PUT", save, {"Content-Length": length})
    assert status in (400, 413)


def test_a_body_that_does_not_say_how_large_it_is_ends_at_the_limit(page: Client, save: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", page.port, timeout=LIMIT)) as connection:
        connection.putrequest("PUT", save)
        for name, value in {**PAGE, "Transfer-Encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(f"{2 * LARGEST_BODY:x}\r\n".encode())
        connection.send(bytes(LARGEST_BODY + 1))  # the rest never comes; the answer must
        answer = connection.getresponse()
        assert answer.status == 413
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_thousand_malformed_bodies_are_refused(page: Client, save: str) -> None:
    chance = random.Random(0)
    for _ in range(1000):
        size = chance.choice([0, 1, SIDE, SIDE**2 - 1, SIDE**2, SIDE**2 + 1, chance.randrange(9000)])
        body = bytearray(chance.randbytes(size))
        if size == SIDE**2:  # otherwise right: one pixel must be wrong
            body = bytearray(chance.choice([0, 1, 255]) for _ in range(size))
            body[chance.randrange(size)] = chance.randrange(2, 255)
        answer = page.ask("PUT", save, data=bytes(body))
        assert answer.status_code == 422, (size, answer.text)


QUESTIONS = [
    "",
    "revision=0",
    "state=submitted",
    "revision=-1&state=submitted",
    "revision=zero&state=submitted",
    "revision=9999999999999999999999&state=submitted",
    "revision=0&state=skipped",
    "revision=0&state=SUBMITTED",
    "revision=0&state=submitted&seconds=nan",
    "revision=0&state=submitted&seconds=inf",
    "revision=0&state=submitted&seconds=-1",
    "revision=0&state=submitted&unpainted=foreground",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_malformed_question_is_refused(page: Client, save: str, question: str) -> None:
    answer = page.ask("PUT", f"{save.partition('?')[0]}?{question}", data=bytes(SIDE * SIDE))
    assert answer.status_code == 422
    assert "not understood" in answer.json()["message"]


@pytest.mark.parametrize("number", ["0", "-1", "99999", str(2**63), str(10**40), "1.5", "one", "%00"])
def test_a_number_that_is_no_patch_is_refused(page: Client, number: str) -> None:
    for what in ("", "/image", "/proposal", "/uncertainty", "/mask"):
        assert page.ask("GET", f"/api/patches/{number}{what}").status_code in (404, 422)
    saved = page.ask("PUT", SAVE.format(number=number), data=bytes(SIDE * SIDE))
    assert saved.status_code in (404, 422)
    assert page.ask("POST", f"/api/patches/{number}/skip").status_code in (404, 422)


def test_every_answer_is_hardened_and_none_tells_the_token(page: Client, save: str) -> None:
    stranger = Client(page.address, {})
    answers = [
        *(page.ask("GET", path) for path in READS if path != "/api/events"),
        *(stranger.ask("GET", path) for path in READS),
        page.ask("GET", "/api/events", stream=True),
        page.ask("GET", "/api/patches/1/image"),
        page.ask("GET", "/api/patches/99999"),
        page.ask("PUT", save, data=b"too short"),
        page.ask("DELETE", "/api/project"),
        page.ask("GET", "/", headers={"Host": "evil.example"}),
        page.ask("PUT", save, headers={"Origin": "https://evil.example"}),
        stranger.ask("GET", f"/?token={TOKEN}"),
        stranger.ask("GET", "/?token=wrong"),
    ]
    for answer in answers:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"], answer.url
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert TOKEN not in next(answer.iter_content(2**20), b"").decode("latin-1")
        answer.close()


def _raw(page: Client, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body of a request whose path is sent as it is, and whose body is not sent at all."""
    with closing(http.client.HTTPConnection("127.0.0.1", page.port, timeout=LIMIT)) as connection:
        connection.putrequest(method, path)
        for name, value in (PAGE | (headers or {})).items():
            connection.putheader(name, value.encode())
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
