"""The server on a PostgreSQL database: begun in a file, moved there, restarted,
killed, cut off, and moved back."""

import re
import subprocess
import threading
import time

import pytest
import requests

import database
import kit

PASSWORD = "cedar and juniper"
# How long a post may take while the database restarts.
PAUSE_MAX_S = 20


@pytest.fixture(scope="module")
def postgres():
    server = database.Database()
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture(scope="module")
def server(folder, authority):
    """One server, whose `store` line the tests change; it begins with a file."""
    return kit.Waxwing(folder / "server", authority, ["store waxwing.redb"])


def keep_in(server, store):
    """Writes another `store` line."""
    text = re.sub(r"(?m)^store .*$", f"store {store}", server.config.read_text())
    server.config.write_text(text)


def check(server):
    done = subprocess.run([kit.BINARY, "check", server.config], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


class Client:
    """Somebody's app, by a token that outlives the server."""

    def __init__(self, server, token):
        self.server, self.session = server, server.session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def copy(self):
        """The same, for another thread."""
        return Client(self.server, self.session.headers["Authorization"].removeprefix("Bearer "))

    def call(self, method, path, timeout=60, **data):
        return self.session.request(method, f"{self.server.origin}{path}", json=data or None, timeout=timeout)

    def post(self, text, key=None):
        self.session.headers["Idempotency-Key"] = key or text
        reply = self.call("POST", "/api/v1/statuses", status=text)
        assert reply.status_code == 200, reply.text[:300]
        return reply.json()["id"]

    def texts(self):
        """All own posts, the newest first, each as its plain text."""
        me = self.call("GET", "/api/v1/accounts/verify_credentials").json()["id"]
        found, last = [], None
        while True:
            after = f"&max_id={last}" if last else ""
            page = self.call("GET", f"/api/v1/accounts/{me}/statuses?limit=40{after}").json()
            if not page:
                return found
            found += [re.sub(r"<[^>]+>", "", one["content"]) for one in page]
            last = page[-1]["id"]


class Load:
    """Posts one after the other until it is stopped, and notes what was acknowledged."""

    def __init__(self, client, word):
        self.client, self.word = client, word
        self.acknowledged, self.slowest_s, self.failures = [], 0.0, []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 0
        while not self.stopping.is_set():
            text = f"{self.word} {number}"
            begun = time.monotonic()
            try:
                self.client.post(text)
                self.acknowledged.append(text)
            except (requests.RequestException, AssertionError) as failure:
                self.failures.append(f"{text}: {failure}")
                if isinstance(failure, requests.ConnectionError):
                    return
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
            number += 1

    def reach(self, count, seconds=60):
        kit.eventually(
            lambda: len(self.acknowledged) >= count or not self.thread.is_alive(), f"{count} posts", seconds
        )
        assert len(self.acknowledged) >= count, self.failures
        return self

    def stop(self):
        self.stopping.set()
        self.thread.join(60)
        return self


@pytest.fixture(scope="module")
def client(server, postgres):
    """Ana, who joined while the records were in a file, and has moved to the database."""
    server.start()
    server.make_owner("ana", PASSWORD)
    app = kit.app(server, "ana", PASSWORD)
    client = Client(server, app.access_token)
    for number in range(60):
        client.post(f"filed {number}")
    server.stop()
    before = server.folder / "before.backup"
    assert re.search(r"\d+ rows of \d+ tables", server.command("backup", before))
    keep_in(server, postgres.create("waxwing"))
    assert re.search(r"\d+ rows", server.command("restore", before))
    server.start()
    yield client
    if server.program.process.poll() is None:
        server.stop()


def test_a_restored_server_has_everything_and_goes_on(server, client):
    assert client.texts() == [f"filed {number}" for number in reversed(range(60))]
    client.post("a waxwing in a database")
    kit.eventually(
        lambda: client.call("GET", "/api/v2/search?q=database&type=statuses").json()["statuses"],
        "what was posted is found",
    )
    assert client.call("GET", "/api/v2/search?q=filed&type=statuses").json()["statuses"]
    log = server.log.read_text()
    assert "the store is the database at 127.0.0.1" in log
    assert database.PASSWORD not in log


def test_it_stops_and_starts_again(server, client):
    client.post("before the stop")
    assert server.stop() == 0
    server.start()
    assert server.owner_link is None
    assert client.texts()[0] == "before the stop"


def test_kill_9_loses_nothing_that_was_acknowledged(server, client):
    for round_number in range(3):
        load = Load(client, f"round {round_number}").reach(5 + 7 * round_number)
        server.kill()
        load.stop()
        server.start()
        there = set(client.texts())
        assert set(load.acknowledged) <= there, sorted(set(load.acknowledged) - there)


def test_a_database_that_restarts_is_waited_for(server, client, postgres):
    load = Load(client, "restart").reach(5)
    for _ in range(2):
        postgres.stop()
        time.sleep(1)
        postgres.start()
        load.reach(len(load.acknowledged) + 10)
    load.stop()
    assert not load.failures, load.failures
    assert load.slowest_s < PAUSE_MAX_S
    texts = client.texts()
    assert set(load.acknowledged) <= set(texts)
    assert len(texts) == len(set(texts)), "something was posted twice"
    print(f"the longest post took {load.slowest_s:.1f} s")


def test_a_backup_is_of_one_moment_while_it_runs(server, client, postgres, folder):
    load = Load(client, "meanwhile").reach(5)
    live = folder / "live.backup"
    server.command("backup", live)
    load.stop()
    other = kit.Waxwing(folder / "copy", kit.new_authority(), [f"store {postgres.create('copy')}"])
    other.command("restore", live)
    refused = subprocess.run(
        [kit.BINARY, "restore", live, "--config", other.config], capture_output=True, text=True, timeout=60
    )
    assert refused.returncode != 0 and "empty" in refused.stderr, refused.stderr


def test_it_moves_back_into_a_file(server, client, folder):
    before = client.texts()
    server.stop()
    back = folder / "back.backup"
    server.command("backup", back)
    keep_in(server, "returned.redb")
    server.command("restore", back)
    server.start()
    assert client.texts() == before
    client.post("at home again")
    assert client.texts()[0] == "at home again"


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda url: url.replace(database.PASSWORD, "wrong"), "password"),
        (lambda url: re.sub("waxwing$", "nowhere", url), "createdb"),
        (lambda url: re.sub(r":\d+/", ":1/", url), "is it running"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(postgres, folder, authority, change, says):
    url = change(postgres.url("waxwing"))
    server = kit.Waxwing(folder / re.sub(r"\W+", "-", says), authority, [f"store {url}"])
    done = subprocess.run([kit.BINARY, server.config], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert says in done.stderr, done.stderr
    assert database.PASSWORD not in done.stderr


def test_check_reads_the_line(server, postgres):
    assert check(server)[0] == 0
    before = server.config.read_text()
    keep_in(server, "postgres://ana:secret@db/birds?sslmode=maybe")
    status, said = check(server)
    server.config.write_text(before)
    assert status != 0 and "sslmode" in said and "secret" not in said, said


@pytest.fixture(scope="module")
def encrypted(authority):
    """A database server that only those reach who encrypt."""
    server = database.Database(authority)
    try:
        server.start().sql("create database waxwing")
        yield server.url("waxwing")
    finally:
        server.remove()


def test_the_way_to_the_database_is_encrypted_and_checked(encrypted, folder, authority):
    roots = folder / "authority-of-the-database.pem"
    authority.cert_pem.write_to_path(roots)
    line = f"store {encrypted}?sslmode=verify-full&sslrootcert={roots}"
    server = kit.Waxwing(folder / "encrypted", authority, [line]).start()
    server.make_owner("ana", PASSWORD)
    Client(server, kit.app(server, "ana", PASSWORD).access_token).post("nobody listens")
    assert server.stop() == 0
    assert re.search(r"the store is the database at .*, encrypted", server.log.read_text())


def test_a_database_that_an_unknown_authority_vouches_for_is_refused(encrypted, folder, authority):
    stranger = folder / "stranger.pem"
    kit.new_authority().cert_pem.write_to_path(stranger)
    cases = {
        f"sslmode=verify-full&sslrootcert={stranger}": ["certificate", "sslrootcert=FILE"],
        "sslmode=verify-full": ["certificate", "sslrootcert=FILE"],
        f"sslmode=verify-full&sslrootcert={folder}/nowhere.pem": ["nowhere.pem", "cannot be read"],
        "sslmode=disable": ["sslmode=require"],
    }
    for number, (query, says) in enumerate(cases.items()):
        server = kit.Waxwing(folder / f"stranger-{number}", authority, [f"store {encrypted}?{query}"])
        done = subprocess.run([kit.BINARY, server.config], capture_output=True, text=True, timeout=60)
        assert done.returncode != 0, query
        assert all(word in done.stderr for word in says), f"{query}: {done.stderr}"
        assert database.PASSWORD not in done.stderr
