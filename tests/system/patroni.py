"""Two PostgreSQL servers under Patroni, with etcd to agree on which is the
primary; each Patroni with its server is one machine that can die."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

import database
import kit

NAMES = ("one", "two")
# What Patroni allows at least; its default is 30.
TTL_S = 20
START_MAX_S = 120


def missing():
    """What cannot be run here, in words, or nothing."""
    gone = []
    if not shutil.which("etcd"):
        gone.append("etcd (Debian: etcd-server)")
    if not shutil.which("patroni"):
        gone.append("patroni")
    return " and ".join(gone)


def _start(command, log, folder, env=None):
    with open(log, "ab") as out:
        return subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C", **(env or {})},
            # A group of its own, which dies together.
            start_new_session=True, **database.unprivileged(),
        )


class Etcd:
    def __init__(self, folder):
        self.folder, self.port = folder, kit.free_port()
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{kit.free_port()}"
        self.process = _start(
            ["etcd", "--data-dir", folder / "etcd", "--name", "only",
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"only={peer}"],
            folder / "etcd.log", folder,
        )
        kit.eventually(self._is_healthy, "etcd is healthy")

    def _is_healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as reply:
                return json.load(reply)["health"] in (True, "true")
        except OSError:
            return False


class Machine:
    """A Patroni and the PostgreSQL server it looks after."""

    def __init__(self, folder, name, etcd):
        self.folder, self.name = folder, name
        self.port, self.api = kit.free_port(), kit.free_port()
        self.config = folder / f"{name}.json"
        # YAML that is JSON as well.
        self.config.write_text(json.dumps(self._settings(etcd), indent=1))
        self.process = None

    def _settings(self, etcd):
        return {
            "scope": "waxwing",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.api}", "connect_address": f"127.0.0.1:{self.api}"},
            "etcd3": {"host": f"127.0.0.1:{etcd.port}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_log_hints": "on"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth": "scram-sha-256"}, "no-sync", "data-checksums"],
                "pg_hba": ["host all all 127.0.0.1/32 scram-sha-256",
                           "host replication all 127.0.0.1/32 scram-sha-256"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self.folder / self.name),
                "bin_dir": str(database.program("postgres").parent),
                "pgpass": str(self.folder / f"{self.name}.pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres", "password": database.PASSWORD},
                    "replication": {"username": "copier", "password": database.PASSWORD},
                    "rewind": {"username": "rewinder", "password": database.PASSWORD},
                },
                "parameters": {"unix_socket_directories": str(self.folder)},
            },
            "tags": {},
        }

    def start(self):
        self.process = _start(["patroni", self.config], self.folder / f"{self.name}.log", self.folder)

    def state(self, of="patroni"):
        """What Patroni says of itself, or of the whole `cluster`; nothing while it is silent."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/{of}", timeout=2) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as reply:
            return json.load(reply)
        except OSError:
            return {}

    def kill(self):
        """As if the power went: Patroni and all processes of its server."""
        for pid in self._servers():
            os.kill(pid, signal.SIGKILL)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def _servers(self):
        """Those whose data is ours: the first one, and its children."""
        try:
            first = int((self.folder / self.name / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        children = pathlib.Path(f"/proc/{first}/task/{first}/children")
        try:
            return [first, *map(int, children.read_text().split())]
        except OSError:
            return []


class Cluster:
    """Started: a primary, and a copy that holds every acknowledged commit."""

    def __init__(self):
        self.folder = database.new_folder()
        self.etcd, self.machines = None, []
        try:
            self.etcd = Etcd(self.folder)
            self.machines = [Machine(self.folder, name, self.etcd) for name in NAMES]
            for machine in self.machines:
                machine.start()
            self.wait_until_safe()
            self.sql(f"create role waxwing login password '{database.PASSWORD}'")
            self.sql("create database waxwing owner waxwing")
        except BaseException:
            self.remove()
            raise

    def primary(self):
        """The machine that Patroni calls so, if there is one."""
        states = [(machine, machine.state()) for machine in self.machines]
        return next((m for m, state in states if state.get("role") in ("master", "primary")
                     and state.get("state") == "running"), None)

    def wait_until_safe(self):
        """Until the primary waits for its copy with every commit, and etcd knows that the copy may
        take over."""

        def is_safe():
            primary = self.primary()
            members = primary.state("cluster").get("members", []) if primary else []
            return any(member["role"] == "sync_standby" for member in members)

        try:
            kit.eventually(is_safe, "a primary with a synchronous copy", START_MAX_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def sql(self, sql):
        port = self.primary().port
        url = f"postgres://postgres:{database.PASSWORD}@127.0.0.1:{port}/postgres"
        done = subprocess.run(
            [database.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", sql],
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def url(self):
        """The address of both, as a user writes it."""
        places = ",".join(f"127.0.0.1:{machine.port}" for machine in self.machines)
        return f"postgres://waxwing:{database.PASSWORD}@{places}/waxwing?target_session_attrs=read-write"

    def logs(self):
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    def remove(self):
        for machine in self.machines:
            if machine.process and machine.process.poll() is None:
                machine.kill()
            for pid in machine._servers():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if self.etcd:
            os.killpg(self.etcd.process.pid, signal.SIGKILL)
            self.etcd.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
