"""Mastodon.py listens to streams of the real server."""

import queue

import pytest
from mastodon import StreamListener

import kit

PASSWORD = "cedar and juniper"
NEWS_MAX_S = 20


class Ear(StreamListener):
    """Keeps what it hears."""

    def __init__(self):
        self.heard = queue.Queue()

    def on_update(self, status):
        self.heard.put(("update", status))

    def on_status_update(self, status):
        self.heard.put(("status.update", status))

    def on_notification(self, notification):
        self.heard.put(("notification", notification))

    def on_delete(self, status_id):
        self.heard.put(("delete", status_id))

    def on_abort(self, err):
        self.heard.put(("abort", err))

    def next(self, event):
        kind, what = self.heard.get(timeout=NEWS_MAX_S)
        assert kind == event, what
        return what


@pytest.fixture(scope="module")
def ana(waxwing):
    waxwing.make_owner("ana", PASSWORD)
    return kit.app(waxwing, "ana", PASSWORD)


@pytest.fixture(scope="module")
def ben(waxwing, ana):
    waxwing.command("user", "create", "ben", password=PASSWORD)
    return kit.app(waxwing, "ben", PASSWORD)


def test_streams_are_healthy(ana):
    assert ana.stream_healthy()


def test_the_user_stream_tells_of_posts_and_notifications(ana, ben):
    ana.account_follow(ben.me().id)
    ear = Ear()
    stream = ana.stream_user(ear, run_async=True, timeout=60)
    try:
        kit.eventually(stream.is_receiving, "a stream that is open")
        status = ben.status_post("good morning", visibility="private")
        assert ear.next("update").id == status.id
        ben.status_update(status.id, "good evening")
        assert "evening" in ear.next("status.update").content
        ben.status_delete(status.id)
        assert str(ear.next("delete")) == str(status.id)
        ben.account_follow(ana.me().id)
        assert ear.next("notification").type == "follow"
    finally:
        stream.close()


def test_public_and_hashtag_streams_tell_of_public_posts(ana, ben):
    local, tagged = Ear(), Ear()
    streams = [
        ana.stream_public(local, local=True, run_async=True, timeout=60),
        ana.stream_hashtag("waxwings", tagged, run_async=True, timeout=60),
    ]
    try:
        for stream in streams:
            kit.eventually(stream.is_receiving, "a stream that is open")
        ben.status_post("hidden #waxwings", visibility="unlisted")
        plain = ben.status_post("no tag")
        status = ben.status_post("a flock of #Waxwings")
        assert local.next("update").id == plain.id
        assert local.next("update").id == status.id
        assert tagged.next("update").id == status.id
    finally:
        for stream in streams:
            stream.close()
