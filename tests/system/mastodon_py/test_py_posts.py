"""Mastodon.py: posts, their pictures, polls, quotes, and where they are read."""

import base64
import datetime
import io

import pytest
from mastodon import MastodonAPIError, MastodonNotFoundError

import kit

# Two by two.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg=="
)


def ids(page):
    return [one.id for one in page]


def plain(status):
    return status.content.removeprefix("<p>").removesuffix("</p>")


def test_many_posts_are_asked_for_at_once(ana, ben):
    one, two = ana.toot("one"), ben.status_post("two")
    hidden = ben.status_post("three", visibility="private")
    assert set(ids(ana.statuses([one.id, two.id, hidden.id]))) == {one.id, two.id}


def test_a_post_is_edited_and_keeps_its_history(ana):
    first = ana.status_post("one", spoiler_text="care", sensitive=True, language="en")
    edited = ana.status_update(first.id, "two", spoiler_text="none", sensitive=False)
    assert edited.edited_at and plain(edited) == "two"
    history = ana.status_history(first.id)
    assert [plain(version) for version in history] == ["one", "two"]
    assert [version.spoiler_text for version in history] == ["care", "none"]


def test_a_reply_names_whom_it_answers(ana, ben):
    said = ben.status_post(f"anybody? @{ana.me().acct}", spoiler_text="a question")
    answer = ana.status_reply(said, "here", visibility="unlisted")
    assert answer.in_reply_to_id == said.id and answer.visibility == "unlisted"
    assert [mention.acct for mention in answer.mentions] == [ben.me().acct]
    assert answer.spoiler_text == "a question"


def test_a_post_is_pinned_and_its_thread_muted(ana, ben):
    mine = ana.status_post("pin me", visibility="public")
    assert ana.status_pin(mine.id).pinned
    assert ids(ben.account_statuses(ana.me().id, pinned=True)) == [mine.id]
    assert not ana.status_unpin(mine.id).pinned
    assert ana.status_mute(mine.id).muted
    before = ana.notifications_unread_count().count
    ben.status_reply(mine, "heard?")
    assert ana.notifications_unread_count().count == before
    assert not ana.status_unmute(mine.id).muted


def test_who_boosted_is_told(ana, ben):
    mine = ana.status_post("boost me", visibility="public")
    boost = ben.status_reblog(mine.id, visibility="unlisted")
    assert boost.visibility == "unlisted" and boost.reblog.id == mine.id
    assert ids(ana.status_reblogged_by(mine.id)) == [ben.me().id]
    ben.status_unreblog(mine.id)
    assert ana.status_reblogged_by(mine.id) == []


def test_quotes_are_given_listed_and_taken_back(ana, ben):
    mine = ana.status_post("quote me", visibility="public", quote_approval_policy="public")
    quoting = ben.status_post("so true", quoted_status_id=mine.id, visibility="public")
    quoting = kit.eventually(
        lambda: (found := ben.status(quoting.id)).quote.state == "accepted" and found, "the quote is accepted"
    )
    assert quoting.quote.quoted_status.id == mine.id
    assert ids(ana.status_quotes(mine.id)) == [quoting.id]
    revoked = ana.status_quote_revoke(mine.id, quoting.id)
    assert revoked.quote.state == "revoked"
    assert ana.status_quotes(mine.id) == []
    ana.status_update_quote_approval_policy(mine.id, "nobody")
    with pytest.raises(MastodonAPIError):
        ben.status_post("again", quoted_status_id=mine.id)


def test_nothing_is_translated_and_no_card_is_made_up(ana):
    mine = ana.status_post("guten Morgen", language="de", visibility="public")
    with pytest.raises(MastodonAPIError):
        ana.status_translate(mine.id, "en")
    assert ana.status_card(mine.id) is None


def test_pictures_are_described_again_when_the_post_is_edited(ana):
    media = ana.media_post(io.BytesIO(PNG), "image/png", description="four dots")
    media = kit.eventually(lambda: (found := ana.media(media.id)).url and found, "the upload is ready")
    assert ana.decode_blurhash(media, (4, 4))[0][0]
    assert ana.media_update(media.id, description="dots", focus=(0.5, 0.5)).meta.focus.x == 0.5
    post = ana.status_post("look", media_ids=[media.id])
    change = ana.generate_media_edit_attributes(media.id, description="two by two", focus=(-1.0, 1.0))
    [shown] = ana.status_update(post.id, "look again", media_attributes=[change]).media_attachments
    assert shown.description == "two by two" and shown.meta.focus.x == -1


def test_timelines_are_walked_there_and_back(ana, ben):
    name = f"walk{ana.me().username}"
    posted = [ana.status_post(f"{n} #{name}", visibility="public").id for n in range(7)][::-1]
    page = ana.timeline_hashtag(name, limit=3)
    everything = ana.fetch_remaining(page)
    assert ids(everything) == posted
    second = ana.fetch_next(page)
    assert ids(second) == posted[3:6] and ids(ana.fetch_previous(second)) == posted[:3]
    assert ids(ana.pagination_iterator(page)) == posted
    assert [ids(one) for one in ana.pagination_page_iterator(page)] == [posted[:3], posted[3:6], posted[6:]]
    assert ana.get_pagination_info(page, "next")["max_id"] == int(posted[2])
    assert ids(ana.timeline("home", limit=7)) == posted
    assert posted[0] in ids(ben.timeline_local()) and posted[0] in ids(ben.timeline("public", local=True))
    assert ids(ben.timeline_public(min_id=posted[1], limit=1)) == [posted[0]]


def test_a_link_has_a_timeline_once_it_trends(ana):
    # Nothing trends here, and then there is no such timeline.
    with pytest.raises(MastodonNotFoundError):
        ana.timeline_link("https://news.example/1")


def test_which_timelines_are_open(url, ana):
    assert ana.timeline_is_available("public", with_auth=True)
    assert kit.mastodon(url).timeline_is_available("public", local=True)


def test_conversations_are_read(ana, ben):
    said = ben.status_post(f"@{ana.me().acct} quietly", visibility="direct")
    talk = kit.eventually(lambda: (ana.conversations() or [None])[0], "a conversation")
    assert talk.unread and talk.last_status.id == said.id and ids(talk.accounts) == [ben.me().id]
    assert not ana.conversations_read(talk.id).unread


def test_trends_of_a_young_server_are_lists(url, ana):
    for client in (ana, kit.mastodon(url)):
        assert client.trends(limit=3) == client.trending_tags(limit=3)
        assert isinstance(client.trending_statuses(limit=3, offset=0, lang="en"), list)
        assert isinstance(client.trending_links(limit=3), list)


def test_the_old_search_answers_as_the_new(ana, ben):
    name = ben.me().username
    assert ids(ana.search_v1(name).accounts) == [ben.me().id]
    assert ids(ana.search(name, result_type="accounts").accounts) == [ben.me().id]
    assert ids(ana.search_v2(name, result_type="accounts").accounts) == [ben.me().id]


def test_nothing_is_refreshed_behind_ones_back(ana, ben):
    said = ben.status_post("alone", visibility="public")
    context = ana.status_context(said.id)
    assert ana.get_async_refresh_info(context) is None
    assert ana.await_async_refresh(context, timeout=1) is context
    with pytest.raises(MastodonNotFoundError):
        ana.get_async_refresh_status("nothing")


def test_the_language_of_answers_is_asked_for(ana):
    ana.set_language("de")
    assert ana.status_post("hallo").language in (None, "en", "de")
    ana.set_language("en")


def test_the_clock_of_the_server_is_read(ana):
    now = datetime.datetime.now()
    assert abs((ana.get_approx_server_time() - now).total_seconds()) < 60
