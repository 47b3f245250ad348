"""What a new user does first: start it, look, stop it, start it again."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
import requests

import kit

PASSWORD = "cedar and juniper"
STOP_MAX_S = 5


class Bare:
    """`waxwing --data DIR` without a config file."""

    def __init__(self, folder, *arguments):
        self.data = pathlib.Path(folder) / "data"
        self.program = kit.Program(
            [kit.BINARY, "--data", self.data, *arguments], pathlib.Path(folder) / "waxwing.log"
        )
        self.origin = self.program.line(r"(https?://\S+)").group(1)
        self.program.line(re.escape(str(self.data)))
        self.third = self.program.line(r"https?://").string
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(self.data / "tls" / "authority.pem")

    def get(self, path="/"):
        return self.session.get(f"{self.origin}{path}", timeout=10, headers={"Accept": "text/html"})


def test_without_a_file_it_serves_https_on_localhost(tmp_path):
    server = Bare(tmp_path)
    try:
        assert re.fullmatch(r"https://localhost(:8443)?", server.origin)
        page = server.get()
        assert page.status_code == 200 and "Waxwing" in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "/setup/" in server.third
        link = re.search(r"https://\S+/setup/\S+", server.third).group(0)
        assert server.session.get(link, timeout=10).status_code == 200
        assert server.get("/setup/guessed").status_code == 404
    finally:
        begin = time.monotonic()
        assert server.program.stop(signal.SIGINT) == 0
        assert time.monotonic() - begin < STOP_MAX_S
    assert oct(server.data.stat().st_mode & 0o777) == "0o700"


def test_both_http_versions_are_spoken(waxwing):
    import http.client
    import ssl

    context = ssl.create_default_context(cafile=str(waxwing.root))
    context.set_alpn_protocols(["h2", "http/1.1"])
    connection = http.client.HTTPSConnection("localhost", waxwing.port, context=context, timeout=10)
    connection.connect()
    assert connection.sock.selected_alpn_protocol() == "h2"
    connection.close()
    assert waxwing.session().get(f"{waxwing.origin}/", timeout=10).raw.version == 11


def test_the_owner_link_works_once_and_everything_is_there_again(folder, authority):
    server = kit.Waxwing(folder / "again", authority).start()
    link = server.owner_link
    server.make_owner("ana", PASSWORD)
    session = server.session()
    assert session.get(link, timeout=10).status_code == 404
    server.log_in(session, "ana", PASSWORD)
    assert "@ana" in session.get(f"{server.origin}/@ana", timeout=10).text
    assert server.stop() == 0

    server.start()
    assert server.owner_link is None
    assert "@ana" in session.get(f"{server.origin}/@ana", timeout=10).text
    # The browser is still logged in.
    assert session.get(f"{server.origin}/settings/profile", timeout=10, allow_redirects=False).status_code == 200
    server.stop()


def test_a_second_server_on_the_same_data_says_what_to_do(waxwing):
    other = waxwing.folder / "second.conf"
    other.write_text(
        f"https://localhost:{kit.free_port()}\ndata {waxwing.folder}/data\nlisten 127.0.0.1:0\nadmin off\ntls internal\n"
    )
    done = subprocess.run([kit.BINARY, other], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    assert "in use by another process" in done.stderr and "--data" in done.stderr


def test_a_taken_port_is_explained(waxwing, tmp_path):
    config = tmp_path / "taken.conf"
    config.write_text(
        f"https://localhost:{waxwing.port}\nlisten 127.0.0.1:{waxwing.port}\ndata {tmp_path}/data\nadmin off\ntls internal\n"
    )
    done = subprocess.run([kit.BINARY, config], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    assert str(waxwing.port) in done.stderr and "in use" in done.stderr


def test_plain_http_behind_another_terminator(tmp_path):
    port = kit.free_port()
    config = tmp_path / "plain.conf"
    config.write_text(f"http://127.0.0.1:{port}\nlisten 127.0.0.1:{port}\ndata {tmp_path}/data\nadmin off\n")
    program = kit.Program([kit.BINARY, config], tmp_path / "log")
    try:
        program.line(r"/setup/")
        reply = requests.get(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"}, timeout=10)
        assert reply.status_code == 200
    finally:
        assert program.stop(signal.SIGTERM) == 0


def test_metrics_and_health_are_on_the_admin_listener_only(waxwing):
    assert requests.get(f"http://127.0.0.1:{waxwing.admin_port}/healthz", timeout=5).text == "ok\n"
    assert "waxwing_" in waxwing.metrics()
    assert waxwing.session().get(f"{waxwing.origin}/metrics", timeout=5).status_code == 404


def test_json_logs_are_json(tmp_path):
    import json

    port = kit.free_port()
    config = tmp_path / "json.conf"
    config.write_text(
        f"http://127.0.0.1:{port}\nlisten 127.0.0.1:{port}\ndata {tmp_path}/data\nadmin off\nlog json\n"
    )
    program = kit.Program([kit.BINARY, config], tmp_path / "log")
    program.line(r"/setup/")
    assert program.stop() == 0
    lines = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    assert any(json.loads(line)["message"] == "stopped" for line in lines)


def test_the_login_is_throttled(waxwing):
    session = waxwing.session()
    statuses = []
    for _ in range(40):
        page = session.get(f"{waxwing.origin}/login", timeout=10)
        reply = waxwing.submit(session, page, "/login", name="nobody", password="guess")
        statuses.append(reply.status_code)
        if reply.status_code == 429:
            break
    assert statuses[-1] == 429, statuses
