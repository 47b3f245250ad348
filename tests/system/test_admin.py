"""Mastodon.py as a moderator's tool: reports, accounts, servers, figures."""

import datetime

import pytest
from mastodon import MastodonAPIError, MastodonNotFoundError

import kit

PASSWORD = "cedar and juniper"
ADMIN = ["read", "write", "follow", "push", "admin:read", "admin:write"]


@pytest.fixture(scope="module")
def ada(waxwing):
    waxwing.make_owner("ada", PASSWORD)
    return kit.app(waxwing, "ada", PASSWORD, ADMIN)


@pytest.fixture(scope="module")
def people(waxwing, ada):
    for name in ("ana", "eve"):
        waxwing.command("user", "create", name, password=PASSWORD)
    return [kit.app(waxwing, name, PASSWORD) for name in ("ana", "eve")]


def test_a_report_is_made_looked_into_and_acted_on(ada, people):
    ana, eve = people
    bad = eve.status_post("buy my berries", visibility="public")
    report = ana.report(eve.me().id, status_ids=[bad.id], comment="spam", category="spam")
    assert report.category == "spam" and not report.action_taken
    assert report.target_account.username == "eve"

    told = [n for n in ada.notifications() if n.type == "admin.report"]
    assert told[0].report.id == report.id
    [listed] = ada.admin_reports()
    assert listed.id == report.id and listed.statuses[0].id == bad.id
    assert ada.admin_report(report.id).account.username == "ana"
    assert ada.admin_report_assign(report.id).assigned_account.username == "ada"
    assert ada.admin_report_unassign(report.id).assigned_account is None
    assert ada.admin_report_resolve(report.id).action_taken
    assert not ada.admin_report_reopen(report.id).action_taken

    ada.admin_account_moderate(eve.me().id, action="silence", report_id=report.id, text="berries")
    assert ada.admin_report(report.id).action_taken
    assert ana.account(eve.me().id)["limited"]
    assert bad.id not in [s.id for s in ana.timeline_public()]
    assert not ada.admin_account_unsilence(eve.me().id).silenced


def test_accounts_are_found_and_suspended(ada, people):
    ana, eve = people
    eve_id = eve.me().id
    assert {a.username for a in ada.admin_accounts_v2(origin="local")} >= {"ada", "ana", "eve"}
    assert [a.username for a in ada.admin_accounts_v2(username="ev")] == ["eve"]
    assert [a.username for a in ada.admin_accounts_v2(permissions="staff")] == ["ada"]
    assert "eve" in [a["username"] for a in ada.admin_accounts_v1(status="active")]
    assert ada.admin_account(eve_id).account.username == "eve"
    ada.admin_account_moderate(eve_id, action="suspend")
    assert ana.account(eve_id)["suspended"]
    with pytest.raises(MastodonAPIError):
        eve.status_post("still here")
    assert not ada.admin_account_unsuspend(eve_id).suspended
    ada.admin_account_moderate(eve_id, action="sensitive")
    assert not ada.admin_account_unsensitive(eve_id).sensitized
    ada.admin_account_moderate(eve_id, action="disable")
    assert not ada.admin_account_enable(eve_id).disabled
    with pytest.raises(MastodonAPIError):
        ana.admin_accounts_v2()


def test_a_deleted_account_is_gone_with_its_posts(waxwing, ada):
    waxwing.command("user", "create", "gus", password=PASSWORD)
    gus = kit.app(waxwing, "gus", PASSWORD)
    me, post = gus.me().id, gus.status_post("bye", visibility="public").id
    ada.admin_account_moderate(me, action="suspend")
    ada.admin_account_delete(me)

    def is_gone():
        try:
            ada.account(me)
        except MastodonNotFoundError:
            return True

    kit.eventually(is_gone, "the account is deleted")
    with pytest.raises(MastodonNotFoundError):
        ada.status(post)


def test_servers_and_addresses_are_shut_out(ada):
    block = ada.admin_create_domain_block("evil.example", severity="suspend", public_comment="spam")
    assert block.severity == "suspend"
    assert [b.domain for b in ada.admin_domain_blocks()] == ["evil.example"]
    assert ada.instance_domain_blocks()[0].domain == "evil.example"
    assert ada.admin_update_domain_block(block.id, severity="silence").severity == "silence"
    ada.admin_delete_domain_block(block.id)
    assert ada.admin_domain_blocks() == []

    allow = ada.admin_create_domain_allow("good.example")
    assert [a.domain for a in ada.admin_domain_allows()] == ["good.example"]
    ada.admin_delete_domain_allow(allow.id)

    rule = ada.admin_create_canonical_email_block(email="E.ve+1@mail.example")
    assert ada.admin_test_canonical_email_block("eve@mail.example")[0].id == rule.id
    ada.admin_delete_canonical_email_block(rule.id)
    barred = ada.admin_create_email_domain_block("spam.example")
    assert ada.admin_email_domain_block(barred.id).domain == "spam.example"
    ada.admin_delete_email_domain_block(barred.id)
    ip = ada.admin_create_ip_block("203.0.113.0/24", "sign_up_block", comment="flood", expires_in=3600)
    assert ada.admin_ip_block(ip.id).ip == "203.0.113.0/24"
    ada.admin_delete_ip_block(ip.id)


def test_figures_are_counted(ada, people):
    now = datetime.datetime.now(datetime.timezone.utc)
    week = now - datetime.timedelta(days=7)
    measures = ada.admin_measures(week, now, active_users=True, new_users=True, opened_reports=True)
    totals = {m.key: int(m.total) for m in measures}
    assert totals["new_users"] >= 3 and totals["active_users"] >= 1
    assert ada.admin_dimensions(week, now, software_versions=True)[0].data[0].key == "waxwing"
    cohorts = ada.admin_retention(week, now, frequency="day")
    assert len(cohorts) == 8 and int(cohorts[-1].data[0].value) >= 1
    assert ada.admin_trending_tags() == []


def test_everybody_reads_what_is_announced(waxwing, ada, people):
    ana, _ = people
    made = ada.session.post(
        f"{waxwing.origin}/api/v1/admin/announcements",
        json={"text": "Down on Sunday"},
        headers={"Authorization": f"Bearer {ada.access_token}"},
    ).json()
    [seen] = ana.announcements()
    assert seen.id == int(made["id"]) or str(seen.id) == made["id"]
    assert not seen.read
    ana.announcement_reaction_create(seen.id, "🐦")
    assert ana.announcements()[0].reactions[0].me
    ana.announcement_reaction_delete(seen.id, "🐦")
    ana.announcement_dismiss(seen.id)
    assert ana.announcements()[0].read
