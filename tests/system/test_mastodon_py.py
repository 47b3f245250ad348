"""Mastodon.py, a client we did not write, does what an app does."""

import datetime

import pytest
from mastodon import Mastodon, MastodonNotFoundError, MastodonUnauthorizedError

import kit

PASSWORD = "cedar and juniper"


@pytest.fixture(scope="module")
def ana(waxwing):
    waxwing.make_owner("ana", PASSWORD)
    return kit.app(waxwing, "ana", PASSWORD)


@pytest.fixture(scope="module")
def ben(waxwing, ana):
    waxwing.command("user", "create", "ben", password=PASSWORD)
    return kit.app(waxwing, "ben", PASSWORD)


def test_an_app_learns_where_it_is(waxwing, ana):
    instance = ana.instance_v2()
    assert instance["domain"] == waxwing.domain
    assert "Waxwing" in instance["version"]
    assert ana.instance_v1()["uri"] == waxwing.domain
    assert ana.me().username == "ana"
    assert ana.app_verify_credentials()["name"] == "kit"


def test_a_post_is_read_back_and_deleted(ana):
    status = ana.status_post("Berries <b>for</b> all #Waxwing", spoiler_text="food", visibility="public")
    assert status.visibility == "public" and status.spoiler_text == "food"
    assert "&lt;b&gt;" in status.content and "<b>" not in status.content
    assert [tag.name for tag in status.tags] == ["waxwing"]
    assert ana.timeline_home()[0].id == status.id
    assert ana.timeline_local()[0].id == status.id
    assert ana.timeline_hashtag("waxwing")[0].id == status.id
    assert ana.status_source(status.id)["text"] == "Berries <b>for</b> all #Waxwing"
    deleted = ana.status_delete(status.id)
    assert deleted["text"] == "Berries <b>for</b> all #Waxwing"
    with pytest.raises(MastodonNotFoundError):
        ana.status(status.id)


def test_the_same_idempotency_key_posts_once(ana):
    first = ana.status_post("once", idempotency_key="k1")
    again = ana.status_post("once", idempotency_key="k1")
    assert first.id == again.id


def test_two_people_meet(ana, ben):
    ben_id = ben.me().id
    assert ana.account_lookup("ben").id == ben_id
    assert ana.account_search("ben")[0].id == ben_id
    relation = ana.account_follow(ben_id)
    assert relation.following and not relation.requested
    assert ben.notifications()[0].type == "follow"
    assert [one.id for one in ben.account_followers(ben_id)] == [ana.me().id]
    assert [one.id for one in ana.account_following(ana.me().id)] == [ben_id]

    post = ben.status_post("hello @ana", visibility="public")
    kit.eventually(lambda: post.id in [s.id for s in ana.timeline_home()], "ben's post in ana's home")
    assert ana.notifications(types=["mention"])[0].status.id == post.id

    reply = ana.status_post("hello @ben", in_reply_to_id=post.id)
    assert [s.id for s in ben.status_context(post.id).descendants] == [reply.id]
    assert [s.id for s in ben.status_context(reply.id).ancestors] == [post.id]

    assert ana.status_favourite(post.id).favourited
    assert ben.status(post.id).favourites_count == 1
    assert [one.id for one in ben.status_favourited_by(post.id)] == [ana.me().id]
    boost = ana.status_reblog(post.id)
    assert boost.reblog.id == post.id and boost.account.id == ana.me().id
    assert ben.status(post.id).reblogs_count == 1
    assert ana.status_bookmark(post.id).bookmarked
    assert [s.id for s in ana.bookmarks()] == [post.id]
    assert [s.id for s in ana.favourites()] == [post.id]
    assert {n.type for n in ben.notifications()} >= {"follow", "mention", "favourite", "reblog"}

    assert not ana.status_unfavourite(post.id).favourited
    assert not ana.status_unreblog(post.id).reblogged
    assert not ana.status_unbookmark(post.id).bookmarked
    assert ben.status(post.id).favourites_count == 0
    assert ben.status(post.id).reblogs_count == 0
    assert not ana.account_unfollow(ben_id).following


def test_private_posts_stay_private(ana, ben):
    secret = ana.status_post("for my followers", visibility="private")
    with pytest.raises(MastodonNotFoundError):
        ben.status(secret.id)
    with pytest.raises(MastodonNotFoundError):
        ben.status_favourite(secret.id)
    assert secret.id not in [s.id for s in ben.account_statuses(ana.me().id)]
    assert secret.id in [s.id for s in ana.account_statuses(ana.me().id)]


def test_pages_follow_each_other(ana):
    posted = [ana.status_post(f"page {n}").id for n in range(7)]
    page = ana.account_statuses(ana.me().id, limit=3)
    seen = []
    for _ in range(20):
        if not page:
            break
        seen += [s.id for s in page]
        page = ana.fetch_next(page)
    assert len(seen) == len(set(seen))
    assert seen[:7] == posted[::-1]


def test_a_profile_is_changed(ana):
    me = ana.account_update_credentials(
        display_name="Ana Cedar",
        note="likes #berries",
        fields=[("Home", "a hedge")],
        avatar=(kit.ROOT / "assets/icon-180.png").read_bytes(),
        avatar_mime_type="image/png",
    )
    assert me.display_name == "Ana Cedar"
    assert "berries" in me.note and me.source.note == "likes #berries"
    assert me.fields[0].name == "Home"
    assert ana.session.get(me.avatar, timeout=10).headers["content-type"].startswith("image/")


def test_markers_preferences_and_empty_lists(ana):
    newest = ana.timeline_home(limit=1)[0].id
    ana.markers_set("home", newest)
    assert str(ana.markers_get("home")["home"].last_read_id) == str(newest)
    assert ana.preferences()["posting:default:visibility"] == "public"
    assert ana.custom_emojis() == [] and ana.lists() == [] and ana.filters_v2() == []


def test_search_finds_people_tags_and_posts(ana, ben):
    post = ben.status_post("a post to find #findme")
    found = ana.search_v2(post.url, resolve=True)
    assert [s.id for s in found.statuses] == [post.id]
    assert ana.search_v2("ben").accounts[0].acct == "ben"
    assert ana.search_v2("#findme").hashtags[0].name == "findme"


def test_a_revoked_token_is_no_longer_good(waxwing, ana):
    other = kit.app(waxwing, "ana", PASSWORD)
    other.revoke_access_token()
    bare = Mastodon(api_base_url=waxwing.origin, access_token="not a token", session=waxwing.session())
    with pytest.raises(MastodonUnauthorizedError):
        bare.me()


def test_a_poll_is_asked_and_voted_in(ana, ben):
    poll = ana.make_poll(["robin", "wren"], expires_in=600, multiple=True)
    status = ana.status_post("which?", poll=poll)
    assert [option.title for option in status.poll.options] == ["robin", "wren"]
    voted = ben.poll_vote(status.poll.id, [1])
    assert voted.voted and voted.own_votes == [1]
    assert ana.poll(status.poll.id).options[1].votes_count == 1


def test_a_post_waits_and_can_be_moved_and_given_up(ana):
    at = datetime.datetime.now(tz=datetime.timezone.utc) + datetime.timedelta(hours=1)
    waiting = ana.status_post("later", scheduled_at=at)
    assert waiting.params.text == "later"
    assert [one.id for one in ana.scheduled_statuses()] == [waiting.id]
    moved = ana.scheduled_status_update(waiting.id, at + datetime.timedelta(hours=1))
    assert moved.scheduled_at > waiting.scheduled_at
    assert ana.scheduled_status(waiting.id).id == waiting.id
    ana.scheduled_status_delete(waiting.id)
    assert ana.scheduled_statuses() == []
