"""With tokens, only who has one is let in, to what its role allows; requests are counted by token or address."""

import argparse
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from text_recognizer.cli.serve_command import add_serve, settings_of
from text_recognizer.core.errors import ConfigError
from text_recognizer.serving.app import create_app
from text_recognizer.serving.correction_store import REVIEW_VARIABLE
from text_recognizer.serving.jobs import Jobs
from text_recognizer.serving.limits import RateLimit
from text_recognizer.serving.served import Served
from text_recognizer.serving.settings import ORIGINS_VARIABLE, RATE_VARIABLE, ROOT_PATH_VARIABLE, Settings
from text_recognizer.serving.takeover import CHAMPION_VARIABLE
from text_recognizer.serving.tokens import TOKENS_FILE_VARIABLE, TOKENS_VARIABLE, Authorised, read_tokens

READ, CORRECT, ADMIN = "r" * 24, "c" * 24, "a" * 24
LINES = f"# who may do what\nanna read {READ}\n\nbert correct {CORRECT}\ncora admin {ADMIN}\n"
KEYS = {"none": None, "wrong": "x" * 24, "read": READ, "correct": CORRECT, "admin": ADMIN}


def headers(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture(scope="module")
def client(recognizer, verdict):
    app = create_app(Settings.of({TOKENS_VARIABLE: LINES}))
    app.state.served = Served(recognizer, verdict)
    return TestClient(app)


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("GET", "/", [200, 200, 200, 200, 200]),
        ("GET", "/openapi.json", [200, 200, 200, 200, 200]),
        ("GET", "/model", [401, 401, 200, 200, 200]),
        ("POST", "/read", [401, 401, 422, 422, 422]),
        ("POST", "/jobs", [401, 401, 422, 422, 422]),
        ("POST", "/corrections", [401, 401, 403, 422, 422]),
        ("GET", "/metrics", [401, 401, 403, 403, 200]),
        ("GET", "/nowhere", [401, 401, 404, 404, 404]),
    ],
)
def test_each_role_may_do_what_it_is_for(client, method, path, statuses):
    answers = [client.request(method, path, headers=headers(token)) for token in KEYS.values()]
    assert [answer.status_code for answer in answers] == statuses
    for answer in answers:
        if answer.status_code in (401, 403):
            assert answer.json()["status"] == answer.status_code
            assert answer.headers["content-type"] == "application/problem+json"
            assert ("www-authenticate" in answer.headers) is (answer.status_code == 401)


@pytest.mark.parametrize("header", [READ, f"Basic {READ}", f"bearer  {READ[:-1]}", "Bearer", "Bearer \u00e9"])
def test_only_the_whole_token_after_bearer_counts(client, header):
    assert client.get("/model", headers={"Authorization": header.encode()}).status_code == 401


def test_the_kind_of_the_header_may_be_written_in_small_letters(client):
    assert client.get("/model", headers={"Authorization": f"bearer {READ}"}).status_code == 200


def test_tokens_come_from_a_file_and_from_the_environment(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"dora read {'d' * 24}\n")
    tokens = read_tokens({TOKENS_VARIABLE: LINES, TOKENS_FILE_VARIABLE: str(path)})
    assert [(token.name, token.role) for token in tokens] == [
        ("anna", "read"), ("bert", "correct"), ("cora", "admin"), ("dora", "read")
    ]  # fmt: skip
    assert read_tokens({}) == ()


@pytest.mark.parametrize(
    "lines",
    ["# none", f"anna {READ}", f"anna owner {READ}", "anna read short", f"anna read {READ}\nanna admin {ADMIN}"],
)
def test_tokens_that_are_not_valid_stop_the_start_and_are_not_repeated(lines, tmp_path):
    path = tmp_path / "tokens"
    path.write_text(lines)
    with pytest.raises(ConfigError) as caught:
        Settings.of({TOKENS_FILE_VARIABLE: str(path)})
    assert READ not in str(caught.value)
    assert caught.value.fix


def test_a_missing_file_of_tokens_stops_the_start(tmp_path):
    with pytest.raises(ConfigError):
        Settings.of({TOKENS_FILE_VARIABLE: str(tmp_path / "nowhere")})


@pytest.fixture
def counted(monkeypatch):
    """Make a client of an application that takes so many requests a minute, and a clock to move."""
    now = [1000.0]
    monkeypatch.setattr("text_recognizer.serving.limits.time.monotonic", lambda: now[0])

    def make(rate):
        async def done(_):
            return PlainTextResponse("done")

        app = RateLimit(Starlette(routes=[Route("/model", done, methods=["GET", "POST"])]), rate)
        return TestClient(Authorised(app, read_tokens({TOKENS_VARIABLE: LINES}))), now

    return make


def test_a_token_that_sends_too_often_is_told_when_to_try_again_and_others_go_on(counted):
    client, now = counted(3)
    anna, bert = headers(READ), headers(CORRECT)
    answers = [client.post("/model", headers=anna) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert client.post("/model", headers=bert).status_code == 200
    assert client.get("/model", headers=anna).status_code == 200
    wait = int(answers[-1].headers["retry-after"])
    assert wait == 20
    now[0] += wait - 1
    assert client.post("/model", headers=anna).status_code == 429
    now[0] += 1
    assert [client.post("/model", headers=anna).status_code for _ in range(2)] == [200, 429]


def test_without_a_rate_any_number_is_taken(counted):
    client, _ = counted(0)
    assert {client.post("/model", headers=headers(READ)).status_code for _ in range(20)} == {200}


def test_a_page_of_another_site_may_read_answers_only_if_the_site_is_listed():
    listed, other = "https://pages.example.org", "https://example.com"
    app = create_app(Settings.of({ORIGINS_VARIABLE: listed, TOKENS_VARIABLE: "anna read 0123456789-0123456789"}))
    client = TestClient(app)
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    for origin, status, allowed in ((listed, 200, listed), (other, 400, None)):
        answer = client.options("/read", headers={"origin": origin, **asking})
        assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (status, allowed)
    refused = client.post("/read", headers={"origin": listed})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, listed)


def test_without_origins_no_page_of_another_site_may_read_answers():
    client = TestClient(create_app())
    assert "access-control-allow-origin" not in client.get("/docs", headers={"origin": "https://example.com"}).headers


@pytest.mark.parametrize("variables", [
    {RATE_VARIABLE: "many"}, {RATE_VARIABLE: "-1"}, {ROOT_PATH_VARIABLE: "reader"}, {ROOT_PATH_VARIABLE: "/a b"},
    {ORIGINS_VARIABLE: "pages.example.org"},
])  # fmt: skip
def test_a_setting_that_is_not_valid_stops_the_start(variables):
    with pytest.raises(ConfigError) as caught:
        Settings.of(variables)
    assert next(iter(variables)) in caught.value.what


@pytest.mark.parametrize("start", ["", "/reader"], ids=["a proxy that strips it", "a proxy that does not"])
def test_below_a_root_path_the_service_answers_and_names_its_paths_with_it(recognizer, verdict, tmp_path, start):
    app = create_app(Settings.of({ROOT_PATH_VARIABLE: "/reader/", TOKENS_VARIABLE: LINES}))
    app.state.served = Served(recognizer, verdict)
    app.state.jobs = Jobs(tmp_path, lambda: app.state.served)
    client = TestClient(app)
    assert client.get(f"{start}/").status_code == 200
    assert client.get(f"{start}/model").status_code == 401
    assert client.get(f"{start}/metrics", headers=headers(READ)).status_code == 403
    picture = (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00"
               b"\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")  # fmt: skip
    answer = client.post(f"{start}/jobs", files={"picture": picture}, headers=headers(READ))
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/reader/jobs/{answer.json()['id']}"
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/reader"}]
    metrics = client.get(f"{start}/metrics", headers=headers(ADMIN)).text
    assert 'endpoint="/jobs"' in metrics


def test_the_root_path_itself_leads_to_the_page():
    client = TestClient(create_app(Settings.of({ROOT_PATH_VARIABLE: "/reader"})))
    assert client.get("/reader").url.path == "/reader/"


def test_the_options_of_the_command_become_settings_of_the_server(tmp_path, monkeypatch):
    monkeypatch.delenv(CHAMPION_VARIABLE, raising=False)
    parser = argparse.ArgumentParser()
    add_serve(parser.add_subparsers())
    path = tmp_path / "tokens"
    path.write_text(LINES)
    given = ["serve", "--tokens", str(path), "--rate", "3", "--root-path", "/reader", "--review"]
    given += ["--allow-origin", "https://a.example", "--allow-origin", "http://localhost:8000"]
    variables = settings_of(parser.parse_args(given))
    settings = Settings.of(variables)
    assert (len(settings.tokens), settings.rate, settings.root_path) == (3, 3, "/reader")
    assert settings.origins == ("https://a.example", "http://localhost:8000")
    assert (variables[REVIEW_VARIABLE], Path(variables[CHAMPION_VARIABLE]).is_absolute()) == ("1", True)
    # A model that is named is not exchanged for the one in service.
    assert settings_of(parser.parse_args(["serve", "--bento", "dist/bento"])) == {}
