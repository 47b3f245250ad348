"""The same tests, driven through one of several nodes.

With `WAXWING_TEST_NODES=3` every server of the tests is three nodes on one
PostgreSQL database, over TLS, of which the tests know the first only: its
door passes their requests on to all three. `WAXWING_TEST_POLICY` says how (by
turns unless told, so that what one request wrote the next one seeks on
another node). A server that is stopped must have divided its work fairly.

As a program it runs one such server for tests that are not Python: it takes
the lines of its configuration as arguments, writes one line of JSON when it
serves, and stops when its standard input ends.
"""

import atexit
import itertools
import json
import os
import pathlib
import re
import sys
import tempfile

import database
import fleet
import kit

COUNT = int(os.environ.get("WAXWING_TEST_NODES", "1"))
POLICY = os.environ.get("WAXWING_TEST_POLICY", "round_robin")
# Where each server that stops notes how it divided its work.
SHARES = os.environ.get("WAXWING_TEST_SHARES")
# Of all requests, what each of three nodes has to answer at least.
SHARE_MIN = {"round_robin": 0.25}.get(POLICY, 0.1)
# Servers that were asked less than this tell nothing.
REQUESTS_MIN = 100

# The files of tests that are not run on several nodes, and why.
SKIPPED = {
    "test_bench.py": "`--bench` measures an instance of its own",
    "test_failover.py": "is about the way of one server to its database",
    "test_postgres.py": "moves the records of one server between a file and a database",
    "test_sandbox.py": "a sandbox is one process that keeps everything in memory",
    "test_startup.py": "is about one process and its data folder",
}


def reason_to_skip(path):
    """Why the tests of a file are not run on several nodes, if they are not."""
    return SKIPPED.get(path.name)


class _Shared:
    """The database server of this process of tests, begun when it is asked for."""

    server = None
    numbers = itertools.count(1)

    @classmethod
    def line(cls):
        """A `store` line with an empty database."""
        if cls.server is None:
            authority = kit.new_authority()
            cls.server = database.Database(authority)
            atexit.register(cls.server.remove)
            # No test cuts the power of the database's machine.
            cls.server.settings += ["-c", "fsync=off", "-c", "max_connections=400"]
            cls.server.start()
            authority.cert_pem.write_to_path(cls.server.folder / "authority.pem")
        url = cls.server.create(f"site{next(cls.numbers)}")
        return f"store {url}?sslmode=verify-full&sslrootcert={cls.server.folder}/authority.pem"


def lines_for(folder):
    """What all nodes of a server have in their configuration."""
    return [_Shared.line(), f"media {folder}/media", f"balance {POLICY}"]


def answered(text):
    """How many requests a node answered, whichever door they came to, by its metrics."""
    found = re.search(r"^waxwing_node_requests_total (\d+)$", text, re.M)
    return int(found.group(1)) if found else 0


def knows_all(text):
    """The door of this node passes requests on to all nodes, by its metrics."""
    return len(re.findall(r"^waxwing_balancer_requests_total\{", text, re.M)) >= COUNT


def sum_of(texts):
    """The metrics of several nodes as if they were one: samples of the same name and labels are added."""
    kinds, samples = {}, {}
    for text in texts:
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                kinds.setdefault(line.split()[2], line)
            elif line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = samples.get(name, 0) + float(value)
    return "\n".join([*kinds.values(), *(f"{name} {value:g}" for name, value in samples.items()), ""])


def check_shares(served):
    """Every node did its part of what a server was asked."""
    total = sum(served)
    if total < REQUESTS_MIN:
        return
    if SHARES:
        with open(SHARES, "a") as notes:
            notes.write(json.dumps(served) + "\n")
    assert min(served) >= SHARE_MIN * total, f"the nodes answered {served} requests: not a fair share each"


def told(path):
    """What the notes say of all servers, in a line; an error if they say nothing."""
    served = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
    assert served, "no server was asked enough to tell how its nodes divide their work"
    total, least = sum(map(sum, served)), min(min(one) / sum(one) for one in served)
    return f"{len(served)} servers answered {total} requests, each node at least {least:.0%} of its server's"


class Stage:
    """What a sandbox is for clients' tests: people who can log in, no limits, and somebody elsewhere.
    Plain HTTP, so that every client gets in."""

    NAMES = ("admin", "ana", "ben", "cleo")
    PASSWORD = "cedar and juniper"
    SCOPES = ("read", "write", "follow", "push", "profile")
    ADMIN_SCOPES = ("admin:read", "admin:write")

    def __init__(self, folder):
        lines = ["registration open", "rate_limit off"]
        authority = kit.new_authority()
        self.server = kit.Waxwing(folder, authority, lines, scheme="http").start()
        self.url = self.server.origin
        self.people = []
        for name in self.NAMES:
            self._join(name)
        self.admin_token = self.people[0]["token"]
        self.elsewhere, self.pushes = fleet.Server(), fleet.PushService(authority)
        admin = kit.mastodon(self.url, access_token=self.admin_token)
        [pip] = admin.search_v2(self.elsewhere.actor, resolve=True).accounts
        # A server is a peer once something was sent to it.
        admin.account_follow(pip)
        admin.account_unfollow(pip)

    def _join(self, name):
        is_admin = name == "admin"
        role = ["--role", "owner"] if is_admin else []
        self.server.command(
            "user", "create", name, "--email", f"{name}@example.com", *role, password=self.PASSWORD
        )
        scopes = (*self.SCOPES, *(self.ADMIN_SCOPES if is_admin else ()))
        token = kit.app(self.server, name, self.PASSWORD, scopes).access_token
        self.people.append({"username": name, "password": self.PASSWORD, "token": token})

    @property
    def push_endpoint(self):
        return self.pushes.endpoint

    @property
    def outbox(self):
        return self.pushes.outbox

    def environment(self):
        """By which tests in other languages find it."""
        return {
            "WAXWING_URL": self.url,
            "WAXWING_ADMIN_TOKEN": self.admin_token,
            "WAXWING_PEOPLE": json.dumps(self.people),
            "WAXWING_NEIGHBOUR": self.elsewhere.host,
            "WAXWING_PUSH": self.push_endpoint,
            "WAXWING_OUTBOX": self.outbox,
        }

    def stop(self):
        self.elsewhere.stop()
        self.pushes.stop()
        return self.server.stop()


def main(lines):
    with tempfile.TemporaryDirectory(prefix="waxwing-nodes-") as folder:
        server = kit.Waxwing(folder, kit.new_authority(), lines).start()
        try:
            print(json.dumps({"origin": server.origin, "ownerLink": server.owner_link}), flush=True)
            sys.stdin.read()
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--told"]:
        print(told(sys.argv[2]))
    else:
        main(sys.argv[1:])
