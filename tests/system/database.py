"""PostgreSQL servers of the tests' own: in temporary folders, on loopback, and
gone when the test is."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import kit

PASSWORD = "larch"


def program(name):
    """A program of PostgreSQL's, the newest where there are several."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    for folder in reversed(folders):
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    assert found, f"`{name}` is missing: install PostgreSQL (Debian: `apt-get install postgresql`)"
    return pathlib.Path(found)


def unprivileged():
    """Options by which a child is not root, as whom the server refuses to run."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def new_folder():
    """A folder that the server's user owns."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="waxwing-pg-"))
    owner = unprivileged()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    return folder


class Database:
    """A server with a user `waxwing`, who may make databases. With an `authority`, who vouches for
    the server, nobody gets in without TLS."""

    def __init__(self, authority=None):
        self.folder = new_folder()
        self.port = kit.free_port()
        self.process = None
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        subprocess.run(
            [program("initdb"), "-D", self.folder / "data", "-U", "waxwing", "-A", "scram-sha-256",
             f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd="/", **self._readable(secret),
        )
        self.settings = ["-c", "listen_addresses=127.0.0.1"]
        if authority:
            self._encrypt(authority)

    def _encrypt(self, authority):
        own = authority.issue_cert("127.0.0.1")
        for name, pem in [("server.crt", own.cert_chain_pems[0]), ("server.key", own.private_key_pem)]:
            path = self.folder / "data" / name
            pem.write_to_path(path)
            path.chmod(0o600)
            self._readable(path)
        rules = self.folder / "data/pg_hba.conf"
        rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        self.settings += ["-c", "ssl=on"]

    def _readable(self, path):
        owner = unprivileged()
        if owner:
            os.chown(path, owner["user"], owner["group"])
        return owner

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port),
                 *self.settings],
                stdout=log, stderr=log, cwd="/", **unprivileged(),
            )
        kit.eventually(lambda: self._ask("select 1").returncode == 0, "the database answers")
        return self

    def _ask(self, sql):
        return subprocess.run(
            [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.url("postgres"), "-c", sql],
            capture_output=True, text=True, timeout=60,
        )

    def sql(self, sql):
        """Runs a statement; gives what it answers."""
        done = self._ask(sql)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def url(self, name):
        return f"postgres://waxwing:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def create(self, name):
        """Makes an empty database and gives its address."""
        self.sql(f"create database {name}")
        return self.url(name)

    def stop(self):
        """Hangs up on everybody, as a restart of the server's machine does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
