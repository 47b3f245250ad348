"""The `toot` command line, a client we did not write."""

import json
import os
import re
import subprocess
import sys
import pathlib

import pytest

import kit

PASSWORD = "cedar and juniper"


@pytest.fixture(scope="module")
def toot(waxwing, folder):
    """Runs `toot` as ana, logged in through the browser flow."""
    waxwing.make_owner("ana", PASSWORD)
    waxwing.command("user", "create", "ben", password=PASSWORD)
    environment = {
        **os.environ,
        "REQUESTS_CA_BUNDLE": str(waxwing.root),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "TOOT_DISABLE_COLOR": "1",
    }
    command = pathlib.Path(sys.executable).with_name("toot")

    def run(*arguments, answer=""):
        done = subprocess.run(
            [command, *arguments], env=environment, input=answer, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"toot {arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    log_in(waxwing, command, environment)
    return run


def log_in(waxwing, command, environment):
    """`toot login` prints an address, we allow it there, and paste the code."""
    child = subprocess.Popen(
        [command, "login", "--instance", waxwing.origin],
        env={**environment, "BROWSER": "true", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = None
        for line in child.stdout:
            found = re.search(r"https://\S+/oauth/authorize\S+", line)
            if found:
                address = found.group(0)
                break
        assert address, "toot printed no address"
        code = kit.allow(waxwing, address, "ana", PASSWORD)
        # It asks whether to open a browser, then for the code.
        rest, _ = child.communicate(f"n\n{code}\n", timeout=60)
        assert child.returncode == 0, rest
    finally:
        child.kill()


def test_whoami(toot):
    assert "@ana" in toot("whoami")


def test_post_read_favourite_boost_delete(toot, waxwing):
    posted = json.loads(toot("post", "written with toot", "--json"))
    assert "written with toot" in toot("timelines", "home", "--no-pager", "--no-clear")
    assert "written with toot" in toot("timelines", "public", "--local", "--no-pager", "--no-clear")
    toot("status", posted["id"])
    toot("favourite", posted["id"])
    assert json.loads(toot("status", posted["id"], "--json"))["favourited"] is True
    toot("unfavourite", posted["id"])
    toot("reblog", posted["id"])
    toot("unreblog", posted["id"])
    toot("bookmark", posted["id"])
    toot("unbookmark", posted["id"])
    toot("thread", posted["id"])
    toot("delete", posted["id"])
    assert "written with toot" not in toot("timelines", "home", "--no-pager", "--no-clear")


def test_follow_and_search(toot):
    assert "ben" in toot("search", "ben")
    toot("follow", "ben")
    assert "ben" in toot("following", "ana")
    toot("unfollow", "ben")
    assert "ben" not in toot("following", "ana")


def test_notifications_and_instance(toot, waxwing):
    ben = kit.app(waxwing, "ben", PASSWORD)
    ben.status_post("hello @ana")
    assert "hello" in toot("notifications")
    assert "Waxwing" in toot("instance")
