"""Mastodon.py: people, and what they are to one another."""

import io

import pytest
from mastodon import MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError

import kit


def ids(page):
    return [one.id for one in page]


def test_many_accounts_are_asked_for_at_once(ana, ben):
    me, them = ana.account_verify_credentials(), ben.me()
    assert me.source is not None and me.role is not None
    assert set(ids(ana.accounts([me.id, them.id]))) == {me.id, them.id}
    with pytest.raises(MastodonNotFoundError):
        ana.account(int(them.id) + 1)


def test_a_profile_has_pictures_texts_and_switches(ana):
    picture = (kit.ROOT / "assets/icon-180.png").read_bytes()
    mine = ana.profile_update(
        display_name="Ana Cedar",
        note="berries",
        avatar=io.BytesIO(picture),
        avatar_mime_type="image/png",
        header=io.BytesIO(picture),
        header_mime_type="image/png",
        locked=False,
        bot=True,
        discoverable=True,
        hide_collections=True,
        indexable=True,
        fields=[("home", "a hedge")],
    )
    assert mine.display_name == "Ana Cedar" and mine.note == "berries" and mine.bot and mine.indexable
    assert mine.hide_collections and mine.discoverable and not mine.locked
    assert ana.profile().fields[0].name == "home"
    given = ana.me()
    assert "missing" not in given.avatar and "missing" not in given.header
    assert ana.account_delete_avatar().avatar != given.avatar
    assert ana.account_delete_header().header != given.header
    assert ana.profile_update(bot=False, hide_collections=False).bot is False


def test_a_follow_has_terms_and_an_end(ana, ben):
    them = ben.me().id
    relation = ana.account_follow(them, reblogs=False, notify=True)
    assert relation.following and relation.notifying and not relation.showing_reblogs
    assert ana.account_relationships([them])[0].notifying
    assert ids(ana.account_following(ana.me().id)) == [them] and ids(ben.account_followers(them)) == [ana.me().id]
    ben.account_remove_from_followers(ana.me().id)
    assert not ana.account_relationships(them)[0].following
    assert not ana.account_unfollow(them).following


def test_a_locked_account_lets_in_whom_it_likes(ana, ben, join):
    ana.account_update_credentials(locked=True)
    cleo = join("cleo")
    assert ben.account_follow(ana.me().id).requested
    assert cleo.account_follow(ana.me().id).requested
    assert set(ids(ana.follow_requests())) == {ben.me().id, cleo.me().id}
    assert ana.follow_request_authorize(ben.me().id).followed_by
    assert not ana.follow_request_reject(cleo.me().id).followed_by
    assert ana.follow_requests() == []
    assert ben.account_relationships(ana.me().id)[0].following
    assert not cleo.account_relationships(ana.me().id)[0].requested
    ana.account_update_credentials(locked=False)
    ben.account_unfollow(ana.me().id)


def test_mutes_end_and_blocks_hide(ana, ben):
    them = ben.me().id
    muted = ana.account_mute(them, notifications=False, duration=3600)
    assert muted.muting and not muted.muting_notifications
    [listed] = ana.mutes()
    assert listed.id == them and listed.mute_expires_at is not None
    assert not ana.account_unmute(them).muting and ana.mutes() == []
    assert ana.account_block(them).blocking and ids(ana.blocks()) == [them]
    with pytest.raises(MastodonAPIError):
        ben.account_follow(ana.me().id)
    assert not ana.account_unblock(them).blocking and ana.blocks() == []


def test_servers_are_blocked(ana):
    ana.domain_block("spam.example")
    assert ana.domain_blocks() == ["spam.example"]
    ana.domain_unblock("spam.example")
    assert ana.domain_blocks() == []


def test_notes_endorsements_and_whom_friends_know(ana, ben, join):
    them, dora = ben.me().id, join("dora")
    assert ana.account_note_set(them, "from the walk").note == "from the walk"
    ana.account_follow(them)
    assert ana.account_endorse(them).endorsed and ids(ana.endorsements()) == [them]
    assert not ana.account_unendorse(them).endorsed
    assert ana.account_pin(them).endorsed
    assert not ana.account_unpin(them).endorsed and ana.endorsements() == []
    ben.account_follow(dora.me().id)
    [known] = ana.account_familiar_followers(dora.me().id)
    assert known.id == dora.me().id and ids(known.accounts) == [them]
    ana.account_unfollow(them)


def test_lists_hold_whom_one_follows(ana, ben):
    them = ben.me().id
    mine = ana.list_create("friends", replies_policy="none", exclusive=True)
    assert mine.exclusive and mine.replies_policy == "none"
    with pytest.raises(MastodonAPIError):
        ana.list_accounts_add(mine, [them])
    ana.account_follow(them)
    ana.list_accounts_add(mine, [them])
    assert ids(ana.list_accounts(mine)) == [them] and ids(ana.account_lists(them)) == [mine.id]
    said = ben.status_post("for the list")
    kit.eventually(lambda: said.id in ids(ana.timeline_list(mine)), "the post is in the list")
    assert said.id not in ids(ana.timeline_home()), "an exclusive list keeps its people out of home"
    assert ana.list_update(mine, "flock", replies_policy="list", exclusive=False).title == "flock"
    assert ana.list(mine.id).title == "flock" and ids(ana.lists()) == [mine.id]
    ana.list_accounts_delete(mine, [them])
    assert ana.list_accounts(mine) == []
    ana.list_delete(mine)
    assert ana.lists() == []
    ana.account_unfollow(them)


def test_people_are_suggested_and_listed(ana, join):
    shown = join("eve")
    shown.account_update_credentials(discoverable=True)
    shown.status_post("here I am")
    assert shown.me().id in ids(ana.directory(order="new", local=True))
    v2, v1 = ana.suggestions_v2(), ana.suggestions_v1()
    assert [one.account.id for one in v2] == ids(v1)
    assert len(ana.suggestions()) == len(v1)
    if v1:
        ana.suggestion_delete(v1[0].id)
        assert v1[0].id not in ids(ana.suggestions_v1())


def test_tags_are_followed_and_featured(ana, ben):
    name = f"tag{ana.me().username}"
    assert ana.tag_follow(name).following and [tag.name for tag in ana.followed_tags()] == [name]
    said = ben.status_post(f"see #{name}", visibility="public")
    kit.eventually(lambda: said.id in ids(ana.timeline_home()), "home has the tag's post")
    assert ana.tag(name).history is not None
    assert not ana.tag_unfollow(name).following
    ana.status_post(f"mine #{name}", visibility="public")
    assert name in [tag.name for tag in ana.featured_tag_suggestions()]
    featured = ana.featured_tag_create(name)
    assert ana.featured_tags()[0].id == featured.id and int(featured.statuses_count) == 1
    assert [tag.name for tag in ben.account_featured_tags(ana.me().id)] == [name]
    ana.featured_tag_delete(featured.id)
    assert ana.featured_tags() == []
    ana.tag_feature(name)
    assert [tag.name for tag in ana.featured_tags()] == [name]
    ana.tag_unfeature(name)
    assert ana.featured_tags() == []


def test_who_has_no_token_is_nobody(url, ana):
    with pytest.raises(MastodonUnauthorizedError):
        kit.mastodon(url).me()
    # Sent again only while it is unconfirmed; here everybody is confirmed.
    with pytest.raises(MastodonAPIError):
        ana.email_resend_confirmation()


def test_a_report_is_filed(ana, ben):
    bad = ben.status_post("buy my berries", visibility="public")
    report = ana.report(ben.me().id, status_ids=[bad.id], comment="spam", forward=False, category="spam")
    assert report.comment == "spam" and report.target_account.id == ben.me().id
