"""Mastodon.py: notifications, filters, push and streams."""

import base64
import queue
import threading

import pytest
import requests
from mastodon import MastodonNotFoundError, StreamListener

import kit

HEARD_MAX_S = 20


def ids(page):
    return [one.id for one in page]


def test_notifications_are_counted_grouped_and_dismissed(ana, ben, join):
    mine, cleo = ana.status_post("like this", visibility="public"), join("cleo")
    ben.status_favourite(mine.id)
    cleo.status_favourite(mine.id)
    assert ana.notifications_unread_count().count == 2 and ana.unread_grouped_notifications_count() == 1
    [group] = ana.grouped_notifications(grouped_types=["favourite"]).notification_groups
    assert group.type == "favourite" and group.notifications_count == 2
    [same] = ana.grouped_notification(group.group_key).notification_groups
    assert same.status_id == group.status_id
    assert set(ids(ana.grouped_notification_accounts(group.group_key))) == {ben.me().id, cleo.me().id}
    ana.dismiss_grouped_notification(group.group_key)
    assert ana.notifications() == []
    ben.status_post(f"@{ana.me().acct} one")
    ben.status_post(f"@{ana.me().acct} two")
    newer, older = ana.notifications()
    assert ana.notifications(id=newer.id).id == newer.id
    ana.notifications_dismiss(newer.id)
    assert ids(ana.notifications()) == [older.id]
    ana.notifications_clear()
    assert ana.notifications() == []


def test_strangers_wait_in_requests(ana, ben, join):
    assert ana.notifications_policy().for_not_following == "accept"
    policy = ana.update_notifications_policy(for_not_following="filter")
    assert policy.for_not_following == "filter" and policy.for_new_accounts == "accept"
    strangers = [ben, join("dan"), join("eve"), join("fay")]
    for stranger in strangers:
        stranger.status_post(f"@{ana.me().acct} psst")
    requests = ana.notification_requests()
    assert len(requests) == 4 and ana.notifications() == []
    assert ana.notification_request(requests[0].id).account.id == requests[0].account.id
    ana.accept_notification_request(requests[0].id)
    ana.dismiss_notification_request(requests[1].id)
    ana.accept_multiple_notification_requests([requests[2].id])
    ana.dismiss_multiple_notification_requests([requests[3].id])
    kit.eventually(ana.notifications_merged, "accepted requests are merged")
    accepted = {requests[0].account.id, requests[2].account.id}
    kit.eventually(lambda: {n.account.id for n in ana.notifications()} == accepted, "notifications of the accepted")
    assert ana.notification_requests() == []
    ana.update_notifications_policy(for_not_following="accept")


def test_filters_of_the_first_kind(ana, ben):
    made = ana.filter_create("hawk", ["home", "public"], whole_word=True, expires_in=3600)
    assert made.phrase == "hawk" and ids(ana.filters()) == [made.id]
    assert ana.filter_update(made.id, phrase="hawks", context=["public"], whole_word=False).phrase == "hawks"
    assert ana.filter(made.id).context == ["public"]
    said = ben.status_post("two hawks", visibility="public")
    assert ana.filters_apply([said], ana.filters(), "public") == []
    ana.filter_delete(made.id)
    assert ana.filters() == []


def test_filters_of_the_second_kind(ana, ben):
    made = ana.create_filter_v2("birds of prey", ["public"], "warn", keywords_attributes=[{"keyword": "hawk"}])
    changed = ana.update_filter_v2(made.id, title="prey", expires_in=3600)
    assert changed.title == "prey" and changed.expires_at
    word = ana.add_filter_keyword_v2(made.id, "eagle", whole_word=True)
    assert {one.keyword for one in ana.filter_keywords_v2(made.id)} == {"hawk", "eagle"}
    said = ben.status_post("an eagle", visibility="public")
    [result] = ana.status(said.id).filtered or ana.timeline_public(limit=1)[0].filtered
    assert result.filter.title == "prey" and result.keyword_matches == ["eagle"]
    ana.delete_filter_keyword_v2(word.id)
    entry = ana.add_filter_status_v2(made.id, said.id)
    assert ids(ana.filter_statuses_v2(made.id)) == [entry.id]
    assert ana.filter_status_v2(entry.id).status_id == said.id
    ana.delete_filter_status_v2(entry.id)
    assert ana.filter_v2(made.id).statuses == []
    ana.delete_filter_v2(made.id)
    assert ana.filters_v2() == []


def test_a_push_is_sent_and_read_with_the_apps_key(sandbox, ana, ben):
    private, public = ana.push_subscription_generate_keys()
    made = ana.push_subscription_set(sandbox.push_endpoint, public, mention_events=True, favourite_events=False)
    assert made.alerts.mention and not made.alerts.favourite and made.server_key
    assert ana.push_subscription_update(mention_events=True, poll_events=True).alerts.poll
    assert ana.push_subscription().endpoint == sandbox.push_endpoint
    requests.delete(f"{sandbox.outbox}/outbox", timeout=10).raise_for_status()
    ben.status_post(f"@{ana.me().acct} ding")
    wanted = {"kind": "push", "wait_s": 10}
    [sent] = requests.get(f"{sandbox.outbox}/assert", params=wanted, timeout=20).json()
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    push = ana.push_subscription_decrypt_push(
        base64.b64decode(sent["body_base64"]), private, headers["encryption"], headers["crypto-key"]
    )
    assert push.notification_type == "mention" and push.notification_id == ana.notifications()[0].id
    ana.push_subscription_delete()
    with pytest.raises(MastodonNotFoundError):
        ana.push_subscription()


class Ear(StreamListener):
    """Keeps the names of what it hears, with a word of it."""

    def __init__(self):
        self.heard = queue.Queue()

    def on_update(self, status):
        self.heard.put(("update", status.id))

    def on_notification(self, notification):
        self.heard.put(("notification", notification.status.id))

    def on_conversation(self, conversation):
        self.heard.put(("conversation", conversation.last_status.id))


def hears(stream, ear, act, event):
    """`act` is heard on a stream."""
    try:
        kit.eventually(stream.is_receiving, "a stream that is open")
        acted = act()
        assert ear.heard.get(timeout=HEARD_MAX_S) == (event, acted.id)
    finally:
        # It waits for the next heartbeat, which nobody else needs to do.
        threading.Thread(target=stream.close, daemon=True).start()


def test_every_stream_brings_what_is_its(ana, ben):
    def said(visibility, text="hear ye"):
        return lambda: ben.status_post(text, visibility=visibility)

    options = {"run_async": True, "timeout": 60}
    to_ana = f"@{ana.me().acct} psst"
    ear = Ear()
    hears(ana.stream_local(ear, **options), ear, said("public"), "update")
    hears(ana.stream_user_notifications(ear := Ear(), **options), ear, said("public", to_ana), "notification")
    hears(ana.stream_direct(ear := Ear(), **options), ear, said("direct", to_ana), "conversation")
    ana.account_follow(ben.me().id)
    mine = ana.list_create("ear")
    ana.list_accounts_add(mine.id, [ben.me().id])
    hears(ana.stream_list(mine.id, ear := Ear(), **options), ear, said("public"), "update")


def test_one_socket_carries_many_streams(ana, ben):
    ear = Ear()
    socket = ana.stream_open_websocket(ear, timeout=60)
    try:
        ana.stream_hashtag("socket", None, websocket_handle=socket)
        ana.stream_user_notifications(None, websocket_handle=socket)
        kit.eventually(socket.is_receiving, "a socket that is open")
        tagged = kit.eventually(lambda: heard(ear, lambda: ben.status_post("on a #socket", visibility="public")), "tag")
        assert tagged == "update"
        told = kit.eventually(lambda: heard(ear, lambda: ben.status_post(f"@{ana.me().acct} ding")), "a notification")
        assert told == "notification"
    finally:
        socket.close()


def heard(ear, act):
    """The kind of event that answers `act`, if one comes soon."""
    acted = act()
    try:
        kind, which = ear.heard.get(timeout=2)
        return kind if which == acted.id else None
    except queue.Empty:
        return None
