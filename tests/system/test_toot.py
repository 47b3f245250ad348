"""The `toot` command line, a client we did not write."""

import datetime
import json
import os
import re
import subprocess
import sys
import pathlib

import pytest

import kit

PASSWORD = "cedar and juniper"


# What is not called, with the reason.
NOT_CALLED = {
    "login_cli": "asks for a password, which Mastodon takes from no app any more",
    "timelines link": "needs a page that trends: test_py_server asks for it",
    "tui": "a screen of its own: the same calls as the commands",
}


# Commands that tests have run.
CALLED = set()
PLAIN = ("--no-pager", "--no-clear")


@pytest.fixture(scope="module")
def environment(waxwing, folder):
    return {
        **os.environ,
        "REQUESTS_CA_BUNDLE": str(waxwing.root),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "TOOT_DISABLE_COLOR": "1",
        "PAGER": "cat",
    }


@pytest.fixture(scope="module")
def toot(waxwing, environment):
    """Runs `toot` as ana, logged in through the browser flow."""
    waxwing.make_owner("ana", PASSWORD)
    waxwing.command("user", "create", "ben", password=PASSWORD)
    command = pathlib.Path(sys.executable).with_name("toot")

    def run(*arguments, answer=""):
        CALLED.add(arguments[0])
        CALLED.add(" ".join(arguments[:2]))
        done = subprocess.run(
            [command, *arguments], env=environment, input=answer, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"toot {arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    log_in(waxwing, command, environment)
    CALLED.add("login")
    return run


@pytest.fixture(scope="module")
def ben(waxwing, toot):
    return kit.app(waxwing, "ben", PASSWORD)


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


def test_notifications_and_instance(toot, ben):
    ben.status_post("hello @ana")
    assert "hello" in toot("notifications")
    assert "hello" in toot("notifications", "--type", "mention")
    assert "hello" not in toot("notifications", "--exclude-type", "mention")
    toot("notifications", "--clear")
    assert json.loads(toot("notifications", "--json")) == []
    assert "Waxwing" in toot("instance")


def test_who_one_is(toot, waxwing):
    assert f"ana@{waxwing.domain}" in toot("auth")
    toot("activate", f"ana@{waxwing.domain}")
    assert "@ben" in toot("whois", "ben")
    changed = json.loads(toot("update-account", "--display-name", "Ana Cedar", "--note", "berries", "--bot", "--json"))
    assert (changed["display_name"], changed["bot"], changed["source"]["note"]) == ("Ana Cedar", True, "berries")
    assert "toot" in toot("diag")


def test_people_are_muted_blocked_and_let_in(toot, ben):
    toot("mute", "ben")
    assert "ben" in toot("muted")
    toot("unmute", "ben")
    toot("block", "ben")
    assert "ben" in toot("blocked")
    toot("unblock", "ben")
    assert "ben" not in toot("muted") + toot("blocked")
    toot("update-account", "--locked")
    ana = ben.account_lookup("ana").id
    for verdict, is_in in (("reject", False), ("accept", True)):
        assert ben.account_follow(ana).requested
        assert "ben" in toot("follow-requests", "list")
        toot("follow-requests", verdict, "ben")
        assert ben.account_relationships(ana)[0].following is is_in
    assert "ben" in toot("followers", "ana")
    toot("update-account", "--no-locked")


def test_lists(toot):
    toot("follow", "ben")
    toot("lists", "create", "friends")
    toot("lists", "add", "friends", "ben")
    assert "ben" in toot("lists", "accounts", "friends")
    assert "friends" in toot("lists", "list")
    toot("timelines", "list", "friends", *PLAIN)
    toot("lists", "remove", "friends", "ben")
    assert "ben" not in toot("lists", "accounts", "friends")
    toot("lists", "delete", "friends")
    assert "friends" not in toot("lists", "list")
    toot("unfollow", "ben")


def test_tags(toot, ben):
    ben.status_post("see #waxwings", visibility="public")
    assert "see" in toot("timelines", "tag", "waxwings", *PLAIN)
    toot("tags", "follow", "waxwings")
    assert "waxwings" in toot("tags", "followed")
    assert "waxwings" in toot("tags", "info", "waxwings")
    toot("tags", "unfollow", "waxwings")
    toot("tags", "feature", "waxwings")
    assert "waxwings" in toot("tags", "featured")
    toot("tags", "unfeature", "waxwings")
    assert "waxwings" not in toot("tags", "featured") + toot("tags", "followed")


def test_polls(toot, ben):
    poll = ben.make_poll(["robin", "wren"], expires_in=3600)
    asked = ben.status_post("which?", poll=poll).poll.id
    assert "wren" in toot("polls", "show", str(asked))
    toot("polls", "vote", str(asked), "1")
    assert json.loads(toot("polls", "show", str(asked), "--json"))["own_votes"] == [1]
    own = json.loads(toot("post", "mine?", "--poll-option", "a", "--poll-option", "b", "--poll-multiple", "--json"))
    assert own["poll"]["multiple"]


def test_every_timeline(toot, ben):
    said = ben.status_post("all of it", visibility="public")
    assert "all of it" in toot("timelines", "account", "ben", *PLAIN)
    toot("favourite", str(said.id))
    assert "all of it" in toot("timelines", "favourites", *PLAIN)
    toot("bookmark", str(said.id))
    assert "all of it" in toot("bookmarks")
    toot("timelines", "trending", *PLAIN)
    assert "all of it" in toot("timeline", "--public", "--once")
    toot("reblog", str(said.id))
    assert "ana" in toot("reblogged-by", str(said.id))
    toot("unreblog", str(said.id))


def test_posts_with_everything(toot, folder):
    picture = str(kit.ROOT / "assets/icon-180.png")
    uploaded = json.loads(toot("upload", picture, "--description", "a bird", "--json"))
    assert uploaded["description"] == "a bird"
    with_picture = ["--media", picture, "--description", "the same", "--spoiler-text", "birds", "--sensitive"]
    # It talks while it waits for the picture.
    posted = json.loads(toot("post", "look", *with_picture, "--json").splitlines()[-1])
    assert posted["media_attachments"][0]["description"] == "the same" and posted["spoiler_text"] == "birds"
    toot("pin", posted["id"])
    assert json.loads(toot("status", posted["id"], "--json"))["pinned"] is True
    toot("unpin", posted["id"])
    reply = json.loads(toot("post", "and more", "--reply-to", posted["id"], "--visibility", "unlisted", "--json"))
    assert reply["in_reply_to_id"] == posted["id"]
    later = json.loads(toot("post", "later", "--scheduled-in", "2h", "--json"))
    at = datetime.datetime.fromisoformat(later["scheduled_at"].replace("Z", "+00:00"))
    assert at > datetime.datetime.now(datetime.timezone.utc)


def test_every_command_is_called(toot):
    from toot.cli import cli

    def commands(group, path=()):
        for name, command in group.commands.items():
            if not command.hidden:
                yield " ".join((*path, name))
                yield from commands(command, (*path, name)) if hasattr(command, "commands") else ()

    missing = set(commands(cli)) - CALLED - set(NOT_CALLED)
    assert missing == {"logout"}, "that is the last test"


def test_logging_out_ends_the_token(toot, waxwing, environment):
    toot("logout", f"ana@{waxwing.domain}")
    assert "ana" not in toot("auth")
