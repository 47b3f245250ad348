"""`waxwing sandbox`: what an app's author and an app's tests do with it, and
the example bots against it."""

import signal
import sys

import pytest
import requests

import kit

@pytest.fixture(scope="module")
def sandbox(folder):
    server = kit.Sandbox(folder)
    yield server
    server.stop()


@pytest.fixture
def session():
    session = requests.Session()
    session.trust_env = False
    return session


@pytest.fixture
def people(sandbox, session):
    answer = session.get(f"{sandbox.url}/sandbox/people", timeout=10)
    return {person["username"]: person for person in answer.json()["people"]}


def as_(person):
    return {"Authorization": f"Bearer {person['token']}"}


def post(sandbox, session, person, **form):
    answer = session.post(f"{sandbox.url}/api/v1/statuses", headers=as_(person), data=form, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_sample_is_there_and_its_tokens_work(sandbox, session, people):
    assert set(people) == {"admin", "ana", "ben", "cleo"}
    assert people["admin"]["token"] == kit.Sandbox.admin_token
    for name, person in people.items():
        me = session.get(f"{sandbox.url}/api/v1/accounts/verify_credentials", headers=as_(person), timeout=10)
        assert me.json()["username"] == name
    home = session.get(f"{sandbox.url}/api/v1/timelines/home", headers=as_(people["ben"]), timeout=10).json()
    assert "waxwings" in str(home)
    admin = session.get(f"{sandbox.url}/api/v1/admin/accounts", headers=as_(people["admin"]), timeout=10)
    assert admin.status_code == 200, admin.text


def test_anybody_may_sign_up_and_act_at_once(sandbox, session):
    app = session.post(
        f"{sandbox.url}/api/v1/apps",
        data={"client_name": "t", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"},
        timeout=10,
    ).json()
    grant = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "scope": "read write",
    }
    token = session.post(f"{sandbox.url}/oauth/token", data=grant, timeout=10).json()["access_token"]
    # More than a real server would take from one address.
    for n in range(12):
        new = {
            "username": f"dora{n}",
            "email": f"dora{n}@example.com",
            "password": "cedar and juniper",
            "agreement": True,
            "locale": "en",
        }
        joined = session.post(
            f"{sandbox.url}/api/v1/accounts", json=new, headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        assert joined.status_code == 200, joined.text
    post(sandbox, session, {"token": joined.json()["access_token"]}, status="first words")


def test_what_would_be_sent_is_kept_asserted_on_and_cleared(sandbox, session, people):
    outbox = f"{sandbox.url}/sandbox/outbox"
    assert session.delete(outbox, timeout=10).status_code == 200
    assert session.get(outbox, timeout=10).json() == []
    post(sandbox, session, people["ana"], status="a berry for the outbox")
    wanted = {"kind": "delivery", "host": "birds.example", "type": "Create", "contains": "a berry for the outbox"}
    found = session.get(f"{sandbox.url}/sandbox/assert", params=wanted, timeout=30)
    assert found.status_code == 200, found.text
    [sent] = found.json()
    assert sent["json"]["object"]["content"] == "<p>a berry for the outbox</p>"
    assert "signature" in sent["headers"]
    page = session.get(f"{sandbox.url}/sandbox", timeout=10)
    assert "a berry for the outbox" in page.text
    missing = session.get(f"{sandbox.url}/sandbox/assert", params={"type": "Undo", "wait_s": 0}, timeout=10)
    assert missing.status_code == 404 and "wanted 1" in missing.text
    wrong = session.get(f"{sandbox.url}/sandbox/assert", params={"kind": "pigeon"}, timeout=10)
    assert wrong.status_code == 422 and "pigeon" in wrong.text


def test_mails_are_kept_with_the_rest_and_their_links_work(sandbox, session, people):
    asked = session.post(f"{sandbox.url}/password/forgot", data={"email": "ben@example.com"}, timeout=10)
    assert asked.status_code == 200, asked.text
    wanted = {"kind": "mail", "contains": "ben@example.com"}
    found = session.get(f"{sandbox.url}/sandbox/assert", params=wanted, timeout=30)
    assert found.status_code == 200, found.text
    mail = found.json()[-1]["json"]
    assert mail["subject"].startswith("A new password for")
    link = next(word for word in mail["text"].split() if "/password/reset?token=" in word)
    assert session.get(link, timeout=10).status_code == 200
    page = session.get(f"{sandbox.url}/sandbox", timeout=10).text
    assert mail["subject"] in page and "Choose a new password" in page


def test_looking_up_a_stranger_asks_nobody(sandbox, session, people):
    asked = {"q": "@finch@elsewhere.example", "resolve": "true", "type": "accounts"}
    found = session.get(f"{sandbox.url}/api/v2/search", params=asked, headers=as_(people["ana"]), timeout=10)
    assert found.json()["accounts"] == []
    wanted = {"kind": "fetch", "host": "elsewhere.example"}
    kept = session.get(f"{sandbox.url}/sandbox/outbox", params=wanted, timeout=10).json()
    assert "webfinger" in kept[0]["url"]


BOTS = {
    "rust": lambda: [kit.ROOT / "tests/.cache/rust-bot/debug/bot"],
    "python": lambda: [sys.executable, kit.ROOT / "examples/bot.py"],
    "javascript": lambda: [kit.NODE, kit.ROOT / "examples/javascript/bot.mjs"],
}


@pytest.mark.parametrize("language", BOTS)
def test_the_example_bot_answers(sandbox, session, people, folder, language):
    cleo, ben = people["cleo"], people["ben"]
    bot = kit.Program([*BOTS[language](), sandbox.url, cleo["token"]], folder / f"bot-{language}.log")
    try:

        def answered():
            # Until the bot listens nobody hears, so it is said again.
            said = post(sandbox, session, ben, status=f"@cleo are you there, {language}?")
            thread = f"{sandbox.url}/api/v1/statuses/{said['id']}/context"

            def answers():
                replies = session.get(thread, headers=as_(ben), timeout=10).json()["descendants"]
                return [reply for reply in replies if "Chirp!" in reply["content"]]

            try:
                return kit.eventually(answers, "an answer", seconds=2)
            except AssertionError:
                return None

        [reply, *_] = kit.eventually(answered, f"the bot in {language} answers")
        assert reply["account"]["username"] == "cleo"
    finally:
        bot.stop(signal.SIGKILL)
