"""Mastodon.py: the server itself, what trends on it, and who looks after it."""

import http.server
import threading

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonVersionError

import kit

PASSWORD = "cedar and juniper"
ADMIN = ["read", "write", "follow", "push", "profile", "admin:read", "admin:write"]
PAGE = b"<!doctype html><html lang=en><title>Boats</title><meta property=og:description content='All of them'>"


def ids(page):
    return [one.id for one in page]


@pytest.fixture(scope="module")
def ada(waxwing):
    waxwing.make_owner("ada", PASSWORD)
    return kit.app(waxwing, "ada", PASSWORD, ADMIN)


@pytest.fixture(scope="module")
def people(waxwing, ada):
    """Two who want to be noticed."""
    both = []
    for name in ("ana", "ben"):
        waxwing.command("user", "create", name, password=PASSWORD)
        both.append(kit.app(waxwing, name, PASSWORD, ["read", "write", "follow", "push", "profile"]))
        both[-1].account_update_credentials(discoverable=True)
    return both


@pytest.fixture(scope="module")
def page():
    """The address of a page about boats."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/boats"
    server.shutdown()


def test_what_several_people_say_trends(waxwing, ada, people, page):
    ana, ben = people
    both = [one.status_post(f"#boats again {page}", visibility="public") for one in people]
    alone = ana.status_post("#alone", visibility="public")
    for one in (ada, ben):
        one.status_favourite(both[0].id)
    card = kit.eventually(lambda: ana.status(both[1].id).card, "the page has a card")
    assert (card.title, card.type, ana.status_card(both[0].id).title) == ("Boats", "link", "Boats")
    # The first who asks makes the list; it is good for some minutes.
    anybody = kit.mastodon(waxwing.origin, session=waxwing.session())
    assert [tag.name for tag in anybody.trending_tags()] == ["boats"]
    assert anybody.trends()[0].history[0]["accounts"] in (2, "2")
    assert [link.title for link in anybody.trending_links()] == ["Boats"]
    assert ids(anybody.trending_statuses()) == [both[0].id]
    assert set(ids(anybody.timeline_link(page))) == set(ids(both)) and alone.id not in ids(anybody.timeline_link(page))


def test_nothing_that_trends_waits_for_leave(ada, people):
    # What trends needs nobody's leave here, so nothing waits to be approved or rejected.
    assert ada.admin_trending_tags() == ada.admin_trending_links() == ada.admin_trending_statuses() == []
    for act in (
        ada.admin_approve_trending_tag,
        ada.admin_approve_trending_link,
        ada.admin_approve_trending_status,
        ada.admin_reject_trending_tag,
        ada.admin_reject_trending_link,
        ada.admin_reject_trending_status,
    ):
        with pytest.raises(MastodonAPIError):
            act("1")
    with pytest.raises(MastodonAPIError):
        people[0].admin_trending_statuses()


def test_who_is_in_waits_for_nobody(ada):
    assert "ada" in [one["username"] for one in ada.admin_accounts()]
    me = ada.me().id
    for act in (ada.admin_account_approve, ada.admin_account_reject):
        with pytest.raises(MastodonAPIError):
            act(me)


def test_what_is_shut_out_is_listed_one_by_one(ada):
    allow = ada.admin_create_domain_allow("good.example")
    assert ada.admin_domain_allow(allow.id).domain == "good.example"
    ada.admin_delete_domain_allow(allow.id)
    mail = ada.admin_create_canonical_email_block(email="eve@mail.example")
    assert ids(ada.admin_canonical_email_blocks()) == [mail.id]
    assert ada.admin_canonical_email_block(mail.id).canonical_email_hash == mail.canonical_email_hash
    ada.admin_delete_canonical_email_block(mail.id)
    provider = ada.admin_create_email_domain_block("spam.example")
    assert [one.domain for one in ada.admin_email_domain_blocks()] == ["spam.example"]
    ada.admin_delete_email_domain_block(provider.id)
    ip = ada.admin_create_ip_block("203.0.113.0/24", "sign_up_block")
    assert ada.admin_update_ip_block(ip.id, severity="no_access", comment="flood").severity == "no_access"
    assert ids(ada.admin_ip_blocks()) == [ip.id]
    ada.admin_delete_ip_block(ip.id)


def test_the_pages_of_an_instance(waxwing, ada):
    anybody = kit.mastodon(waxwing.origin, session=waxwing.session())
    assert anybody.instance().domain == waxwing.domain
    assert anybody.instance_health() and anybody.instance_nodeinfo().software.name == "waxwing"
    assert anybody.instance_activity()[0].statuses >= 3
    assert isinstance(anybody.instance_peers(), list) and anybody.instance_rules() == []
    assert "content" in anybody.instance_extended_description()
    assert "en" in [language.code for language in anybody.instance_languages()]
    assert anybody.instance_translation_languages() == {}
    with pytest.raises(MastodonNotFoundError):
        anybody.instance_terms_of_service()
    assert Mastodon.get_supported_version() and anybody.retrieve_mastodon_version().startswith("4.")
    anybody.clear_caches()
    assert anybody.verify_minimum_version("4.3.0")


def test_who_one_is_and_where(waxwing, people):
    ana, _ = people
    info = ana.oauth_authorization_server_info()
    assert info.issuer.rstrip("/") == waxwing.origin and "S256" in info.code_challenge_methods_supported
    mine = ana.oauth_userinfo()
    assert mine.preferred_username == "ana" and mine.sub
    token, origin, *_ = ana.persistable_login_credentials().splitlines()
    assert kit.mastodon(origin, access_token=token, session=waxwing.session()).me().acct == "ana"


def test_what_is_not_there_is_said_to_be_missing(people):
    ana, ben = people
    assert ana.annual_reports().annual_reports == [] and ana.annual_report_state(2025).state == "ineligible"
    me = ana.me().id
    assert ana.account_collections(me).collections == [] and ana.account_in_collections(me).collections == []
    for missing, arguments in (
        (ana.annual_report, [2025]),
        (ana.annual_report_generate, [2025]),
        (ana.annual_report_read, [2025]),
        (ana.collection, [1]),
        (ana.collection_create, ["birds"]),
        (ana.collection_update, [1, "birds"]),
        (ana.collection_delete, [1]),
        (ana.collection_item_add, [1, ben.me().id]),
        (ana.collection_item_delete, [1, 1]),
        (ana.collection_item_revoke, [1, 1]),
    ):
        with pytest.raises(MastodonNotFoundError):
            missing(*arguments)


def test_what_mastodon_has_no_more_is_not_asked_for(people):
    ana, ben = people
    with pytest.raises(MastodonVersionError):
        ana.reports()
    assert ana.follows("ben").following and ana.account_unfollow(ben.me().id)
