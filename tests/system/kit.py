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


class Node:
    """One process of a server, with a data folder of its own."""

    def __init__(self, folder, origin, port, lines):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.origin, self.port, self.admin_port = origin, port, free_port()
        self.program = None
        self.config = self.folder / "waxwing.conf"
        places = [
            self.origin,
            f"data {self.folder}/data",
            f"listen 127.0.0.1:{self.port}",
            f"admin 127.0.0.1:{self.admin_port}",
        ]
        self.config.write_text("\n".join([*places, *lines, ""]))

    @property
    def log(self):
        return self.folder / "waxwing.log"

    def start(self):
        """Starts it, and gives the link for whoever is to own the server."""
        self.program = Program([BINARY, self.config], self.log)
        self.program.line(rf"{self.origin}")
        third = self.program.line(r"/setup/|/login$", 5)
        link = re.search(r"https?://\S+/setup/\S+", third.string)
        return link.group(0) if link else None

    def metrics(self):
        return requests.get(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=5).text


class Waxwing:
    """A Waxwing with a data folder of its own: one process, or several nodes (`nodes.py`) of which
    the first is the one that is known. Lines that are given stand in place of those that it has."""

    def __init__(self, folder, ca, directives=(), scheme="https"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.domain = f"localhost:{port}"
        self.origin = f"{scheme}://{self.domain}"
        self.owner_link = None
        ca.cert_pem.write_to_path(self.folder / "outbound-root.pem")
        given = {line.split()[0] for line in directives}
        lines = [
            *(["tls internal"] if scheme == "https" else []),
            f"outbound_root {self.folder}/outbound-root.pem",
            "outbound_allow localhost 127.0.0.0/8",
            "log_level debug",
            "rate_limit 100x login=25/5m login_name=25/1h",
        ]
        lines = [line for line in lines if line.split()[0] not in given] + [*directives]
        count = 1 if "store" in given else nodes.COUNT
        if count > 1:
            lines += nodes.lines_for(self.folder)
        first = Node(self.folder, self.origin, port, [*lines, *self._node_line(count)])
        others = [
            Node(self.folder / f"node{n}", self.origin, free_port(), [*lines, *self._node_line(count)])
            for n in range(2, count + 1)
        ]
        self.nodes = [first, *others]
        self.served = [0] * count

    @staticmethod
    def _node_line(count):
        return [f"node_listen 127.0.0.1:{free_port()}"] if count > 1 else []

    @property
    def port(self):
        return self.nodes[0].port

    @property
    def admin_port(self):
        return self.nodes[0].admin_port

    @property
    def config(self):
        return self.nodes[0].config

    @property
    def program(self):
        return self.nodes[0].program

    @property
    def log(self):
        return self.nodes[0].log

    @property
    def root(self):
        """The certificate of its local authority."""
        return self.folder / "data" / "tls" / "authority.pem"

    def start(self):
        try:
            # The link is the first one's, whatever those do that start later.
            self.owner_link, *_ = [node.start() for node in self.nodes]
            for node in self.nodes if len(self.nodes) > 1 else ():
                eventually(lambda: nodes.knows_all(node.metrics()), "the nodes know each other")
        except BaseException:
            for node in self.nodes:
                if node.program:
                    node.program.stop(signal.SIGKILL)
            raise
        return self

    def _count_served(self):
        if len(self.nodes) > 1:
            now = [nodes.answered(node.metrics()) for node in self.nodes]
            self.served = [before + more for before, more in zip(self.served, now)]

    def stop(self):
        self._count_served()
        # All of them, also when one does not end as it should.
        for node in self.nodes[1:]:
            node.program.process.send_signal(signal.SIGINT)
        statuses = [node.program.stop() for node in self.nodes]
        assert not any(statuses[1:]), f"the nodes ended with {statuses}"
        nodes.check_shares(self.served)
        return statuses[0]

    def kill(self):
        """As if the power went."""
        self._count_served()
        for node in self.nodes:
            node.program.process.kill()
        for node in self.nodes:
            node.program.stop(signal.SIGKILL)

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
        """What all nodes count, added up."""
        if len(self.nodes) == 1:
            return self.nodes[0].metrics()
        return nodes.sum_of(node.metrics() for node in self.nodes)


def start_sandbox(folder):
    """A server that clients' tests are run against, with a `url`, an `admin_token`, a
    `push_endpoint`, an `outbox` to ask for what came there, and the `environment` in which tests
    in other languages find all that."""
    return nodes.Stage(folder) if nodes.COUNT > 1 else Sandbox(folder)


class Sandbox:
    """`waxwing sandbox`."""

    admin_token = "the-admins-own-token"
    # Nothing leaves it, so anything will do.
    push_endpoint = "https://push.example/x"

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        command = [BINARY, "sandbox", "--listen", "127.0.0.1:0", "--admin-token", self.admin_token]
        self.program = Program(command, folder / "sandbox.log")
        self.url = self.program.line(r"serves (http://\S+)").group(1)
        self.outbox = f"{self.url}/sandbox"

    def environment(self):
        return {"WAXWING_URL": self.url, "WAXWING_ADMIN_TOKEN": self.admin_token}

    def stop(self):
        return self.program.stop()


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
    # The library wants to be told that a server on this machine may do without TLS.
    address = client.auth_request_url(scopes=scopes, allow_http=True)
    client.log_in(code=allow(waxwing, address, username, password), scopes=scopes, allow_http=True)
    return client


def mastodon(url, **options):
    """A Mastodon.py client that is told when it asks too much instead of waiting."""
    from mastodon import Mastodon

    return Mastodon(api_base_url=url, ratelimit_method="throw", **options)


# These are made of what stands above.
import nodes  # noqa: E402
