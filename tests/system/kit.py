"""Starts the real programs that the system tests are made of.

Everything listens on loopback, waits are bounded, and what was started is
stopped, also when a test fails.
"""

import html
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import requests
import trustme

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WAXWING_BINARY", ROOT / "target/debug/waxwing"))
PEER = ROOT / "tests/peer"
NODE = PEER / "node_modules/.bin/node"
START_MAX_S = 30
STOP_MAX_S = 10
EVENTUALLY_MAX_S = 30


def free_port():
    """A port that was free a moment ago, below those that the system gives to
    whoever asks for any: nobody else gets it before our program has bound it."""
    for port in random.sample(range(12_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("100 ports are taken")


def eventually(check, what, seconds=EVENTUALLY_MAX_S):
    """Calls `check` until it gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class Program:
    """A child process whose output is read all the time."""

    def __init__(self, command, log, env=None, **options):
        self.log = open(log, "ab")
        self.lines = queue.Queue()
        self.seen = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, **(env or {})},
            **options,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.log.write(line)
            self.log.flush()
            self.lines.put(line.decode(errors="replace").rstrip("\n"))
        self.lines.put(None)

    def line(self, pattern, seconds=START_MAX_S):
        """Waits for a line of standard output that matches."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line {pattern!r}; saw {self.seen}") from None
            if line is None:
                raise AssertionError(f"ended before {pattern!r}; saw {self.seen}")
            self.seen.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def stop(self, how=signal.SIGINT, seconds=STOP_MAX_S):
        """Stops it and gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not stop within {seconds} s") from None
        finally:
            self.process.stdin.close()
            self.reader.join(5)
            self.log.close()
        return status


class Waxwing:
    """A Waxwing with a data folder of its own."""

    def __init__(self, folder, ca, directives=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.admin_port = free_port()
        self.origin = f"https://localhost:{self.port}"
        self.domain = f"localhost:{self.port}"
        self.program = None
        self.owner_link = None
        ca.cert_pem.write_to_path(self.folder / "outbound-root.pem")
        self.config = self.folder / "waxwing.conf"
        self.config.write_text(
            "\n".join(
                [
                    f"https://localhost:{self.port}",
                    f"data {self.folder}/data",
                    f"listen 127.0.0.1:{self.port}",
                    f"admin 127.0.0.1:{self.admin_port}",
                    "tls internal",
                    f"outbound_root {self.folder}/outbound-root.pem",
                    "outbound_allow localhost 127.0.0.0/8",
                    "log_level debug",
                    "rate_limit 100x login=25/5m login_name=25/1h",
                    *directives,
                    "",
                ]
            )
        )

    @property
    def root(self):
        """The certificate of its local authority."""
        return self.folder / "data" / "tls" / "authority.pem"

    @property
    def log(self):
        return self.folder / "waxwing.log"

    def start(self):
        self.program = Program([BINARY, self.config], self.log)
        self.program.line(rf"{self.origin}")
        third = self.program.line(r"/setup/|/login$", 5)
        link = re.search(r"https?://\S+/setup/\S+", third.string)
        self.owner_link = link.group(0) if link else None
        return self

    def stop(self):
        return self.program.stop()

    def kill(self):
        """As if the power went."""
        self.program.stop(signal.SIGKILL)

    def session(self):
        """An HTTP client that trusts its certificate."""
        session = requests.Session()
        # The machine's own settings, such as REQUESTS_CA_BUNDLE, would win over `verify`.
        session.trust_env = False
        session.verify = str(self.root)
        return session

    def submit(self, session, page, action, files=None, **fields):
        """Fills in the form of a page that posts to `action`, as a browser without scripts would."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}[^>]*>.*?</form>', page.text, re.S)
        assert form, f"no form for {action} at {page.url}: {page.status_code} {page.text[:2000]}"
        hidden = {}
        for tag in re.findall(r"<input[^>]*>", form.group(0)):
            attributes = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
            if attributes.get("type") == "hidden":
                hidden[attributes["name"]] = html.unescape(attributes.get("value", ""))
        target = html.unescape(re.search(r'action="([^"]*)"', form.group(0)).group(1))
        return session.post(
            urllib.parse.urljoin(page.url, target),
            data={**hidden, **fields},
            files=files,
            headers={"Origin": self.origin},
            timeout=10,
        )

    def make_owner(self, username, password):
        session = self.session()
        page = session.get(self.owner_link, timeout=10)
        path = urllib.parse.urlparse(self.owner_link).path
        reply = self.submit(session, page, path, username=username, password=password)
        assert reply.ok, reply.text[:500]
        return session

    def log_in(self, session, username, password):
        page = session.get(f"{self.origin}/login", timeout=10)
        reply = self.submit(session, page, "/login", name=username, password=password)
        assert reply.ok, reply.text[:500]

    def command(self, *arguments, password=None):
        """Runs a `waxwing` command on this server's data."""
        done = subprocess.run(
            [BINARY, *arguments, "--config", self.config, *(["--password-stdin"] if password else [])],
            input=None if password is None else f"{password}\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def metrics(self):
        return requests.get(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=5).text


class Peer:
    """The Fedify server with bob on it."""

    def __init__(self, folder, ca, trusts):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        cert = ca.issue_cert("localhost", "127.0.0.1")
        cert.private_key_pem.write_to_path(self.folder / "key.pem")
        cert.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")
        bundle = self.folder / "roots.pem"
        bundle.write_bytes(ca.cert_pem.bytes() + b"\n" + pathlib.Path(trusts).read_bytes())
        self.program = Program(
            [NODE, "peer.mjs", "0", "0", self.folder / "cert.pem", self.folder / "key.pem"],
            self.folder / "peer.log",
            env={"NODE_EXTRA_CA_CERTS": str(bundle)},
            cwd=PEER,
        )
        ports = json.loads(self.program.line(r"^\{").string)
        self.origin, self.control = ports["origin"], ports["control"]
        self.domain = urllib.parse.urlparse(self.origin).netloc
        self.handle = f"@bob@{self.domain}"

    def do(self, command, **what):
        reply = requests.post(f"{self.control}/{command}", json=what, timeout=30)
        assert reply.ok, reply.text
        return reply.json()

    def state(self):
        return requests.get(f"{self.control}/state", timeout=10).json()

    def received(self, kind, **matching):
        return [
            one
            for one in self.state()["received"]
            if one["type"] == kind and all(want in (one.get(key) or "") for key, want in matching.items())
        ]

    def stop(self):
        return self.program.stop(signal.SIGKILL)


def new_authority():
    return trustme.CA()


def chromium():
    """Where Debian's (or anybody's) Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    raise AssertionError("Chromium is not installed; tests/run installs it")


def allow(waxwing, address, username, password):
    """Does in a browser without scripts what a person does to let an app in; gives the code."""
    session = waxwing.session()
    waxwing.log_in(session, username, password)
    reply = waxwing.submit(session, session.get(address, timeout=10), "/oauth/authorize", decision="allow")
    assert reply.ok, reply.text[:500]
    return re.search(r'<input class="code"[^>]*value="([^"]+)"', reply.text).group(1)


def app(waxwing, username, password, scopes=("read", "write", "follow", "push")):
    """A Mastodon.py client that registered, was allowed, and is logged in."""
    from mastodon import Mastodon

    scopes = list(scopes)
    client_id, client_secret = Mastodon.create_app(
        "kit", scopes=scopes, api_base_url=waxwing.origin, session=waxwing.session()
    )
    client = Mastodon(
        client_id=client_id,
        client_secret=client_secret,
        api_base_url=waxwing.origin,
        session=waxwing.session(),
        ratelimit_method="throw",
    )
    address = client.auth_request_url(scopes=scopes)
    client.log_in(code=allow(waxwing, address, username, password), scopes=scopes)
    return client


def mastodon(url, **options):
    """A Mastodon.py client that is told when it asks too much instead of waiting."""
    from mastodon import Mastodon

    return Mastodon(api_base_url=url, ratelimit_method="throw", **options)
