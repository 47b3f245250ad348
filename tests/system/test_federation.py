"""A server that we did not write follows, reads, answers, and survives a power cut of ours."""

import re

import pytest

import kit

PASSWORD = "cedar and juniper"


@pytest.fixture(scope="module")
def ana(waxwing):
    waxwing.make_owner("ana", PASSWORD)
    return kit.app(waxwing, "ana", PASSWORD)


@pytest.fixture(scope="module")
def page(waxwing, browser, ana):
    """A browser in which ana has logged in."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(f"{waxwing.origin}/login")
    page.fill('input[name="name"]', "ana")
    page.fill('input[name="password"]', PASSWORD)
    page.click('form[action="/login"] button')
    page.wait_for_selector("form[data-compose]")
    return page


@pytest.fixture(scope="module")
def followed(waxwing, peer, ana):
    """bob follows ana."""
    peer.do("follow", handle=f"@ana@{waxwing.domain}")
    kit.eventually(lambda: peer.state()["following"][0]["accepted"], "the follow is accepted")
    assert ana.me().followers_count == 1
    return [n for n in ana.notifications() if n.type == "follow"][0].account


def test_bob_follows_ana(peer, followed):
    assert followed.acct == f"bob@{peer.domain}"
    assert followed.display_name == "Bob Waxbill"


def write(waxwing, page, text):
    page.goto(f"{waxwing.origin}/")
    page.fill('form[data-compose] textarea[name="text"]', text)
    page.click('form[data-compose] button[type="submit"], form[data-compose] button:not([type])')
    page.wait_for_selector(f'article:has-text("{text}")')


def test_posts_from_browser_and_app_arrive(waxwing, peer, ana, page, followed):
    write(waxwing, page, "written in the browser")
    status = ana.status_post("written in an app")
    for text in ("written in the browser", "written in an app"):
        found = kit.eventually(lambda: peer.received("Create", content=text), text)
        assert len(found) == 1
        assert found[0]["actor"] == f"{waxwing.origin}/ap/users/{ana.me().id}"
        assert "https://www.w3.org/ns/activitystreams#Public" in found[0]["to"]
    assert found[0]["object"] == status.uri


def test_an_answer_is_seen_in_page_and_api(waxwing, peer, ana, page, followed):
    post = ana.status_post("who likes berries?")
    kit.eventually(lambda: peer.received("Create", content="who likes berries"), "the question")
    peer.do("note", content="<p>all of <b>us</b><script>alert(1)</script></p>", inReplyTo=post.uri,
            mention=f"@ana@{waxwing.domain}")
    answers = kit.eventually(lambda: ana.status_context(post.id).descendants, "the answer")
    assert len(answers) == 1 and answers[0].account.acct == f"bob@{peer.domain}"
    assert "script" not in answers[0].content and "alert" not in answers[0].content
    assert ana.notifications(types=["mention"])[0].status.id == answers[0].id
    page.goto(post.url)
    assert page.locator("article", has_text="all of us").count() == 1


def test_an_edit_and_a_deletion_of_theirs_are_seen(waxwing, peer, ana, followed):
    note = peer.do("note", content="<p>first words</p>", mention=f"@ana@{waxwing.domain}")["id"]
    found = kit.eventually(
        lambda: [n.status for n in ana.notifications(types=["mention"]) if "first words" in n.status.content],
        "bob's note",
    )[0]
    peer.do("edit", id=note, content="<p>second words</p>", mention=f"@ana@{waxwing.domain}")
    kit.eventually(lambda: "second words" in ana.status(found.id).content, "the edit")
    assert ana.status(found.id).edited_at
    peer.do("delete", id=note, mention=f"@ana@{waxwing.domain}")

    def is_gone():
        try:
            ana.status(found.id)
        except Exception as error:
            return "404" in str(error) or "not found" in str(error).lower()

    kit.eventually(is_gone, "the deletion")


def test_likes_and_boosts_go_both_ways(waxwing, peer, ana, followed):
    post = ana.status_post("like and boost me")
    handle = f"@ana@{waxwing.domain}"
    peer.do("like", object=post.uri, mention=handle)
    peer.do("announce", object=post.uri, mention=handle)
    kit.eventually(lambda: ana.status(post.id).favourites_count == 1, "bob's like")
    kit.eventually(lambda: ana.status(post.id).reblogs_count == 1, "bob's boost")

    bob = ana.search_v2(peer.handle, resolve=True).accounts[0]
    assert ana.account_follow(bob.id)
    kit.eventually(lambda: ana.account_relationships(bob.id)[0].following, "bob accepts")
    note = peer.do("note", content="<p>a note for followers</p>")["id"]
    theirs = kit.eventually(
        lambda: [s for s in ana.timeline_home() if "a note for followers" in s.content], "bob's note at home"
    )[0]
    ana.status_favourite(theirs.id)
    ana.status_reblog(theirs.id)
    kit.eventually(lambda: peer.received("Like", object=note), "ana's like")
    kit.eventually(lambda: peer.received("Announce", object=note), "ana's boost")
    ana.status_unfavourite(theirs.id)
    ana.status_unreblog(theirs.id)
    kit.eventually(lambda: len(peer.received("Undo")) >= 2, "both taken back")


def test_a_deletion_of_ours_arrives(waxwing, peer, ana, page, followed):
    post = ana.status_post("soon gone")
    kit.eventually(lambda: peer.received("Create", content="soon gone"), "the post")
    ana.status_delete(post.id)
    kit.eventually(lambda: peer.received("Delete", object=post.uri), "the deletion")


def test_private_posts_go_to_followers_and_direct_ones_to_their_addressee(waxwing, peer, ana, followed):
    ana.status_post("for followers only", visibility="private")
    found = kit.eventually(lambda: peer.received("Create", content="for followers only"), "the private post")
    assert not any("#Public" in one for one in found[0]["to"] + found[0]["cc"])
    ana.status_post(f"psst {peer.handle}", visibility="direct")
    found = kit.eventually(lambda: peer.received("Create", content="psst"), "the direct post")
    assert found[0]["to"] == [peer.state()["actor"]] and found[0]["cc"] == []


def test_a_power_cut_loses_nothing_and_doubles_nothing(waxwing, peer, ana, page, followed):
    """kill -9 while deliveries are under way, three times; also while answers come in."""
    said = []
    for cut in range(3):
        for n in range(6):
            text = f"cut {cut} number {n}."
            if n == 0 and cut == 0:
                write(waxwing, page, text)
            else:
                ana.status_post(text)
            said.append(text)
        waxwing.kill()
        question = said[-1]
        waxwing.start()
    for text in said:
        kit.eventually(lambda: peer.received("Create", content=text), text)
    for text in said:
        assert len({one["object"] for one in peer.received("Create", content=text)}) == 1, text

    post = [s for s in ana.timeline_home(limit=40) if question in s.content][0]
    peer.do("note", content="<p>heard you after the cut</p>", inReplyTo=post.uri, mention=f"@ana@{waxwing.domain}")
    kit.eventually(lambda: ana.status_context(post.id).descendants, "the answer after the cut")
    waxwing.kill()
    waxwing.start()
    answers = ana.status_context(post.id).descendants
    assert len(answers) == 1
    home = ana.timeline_home(limit=40)
    shown = [re.sub("<[^>]*>", "", s.content) for s in home]
    assert len(home) == len({s.id for s in home})
    for text in said:
        assert shown.count(text) == 1, text
    page.goto(f"{waxwing.origin}/")
    for text in said[-6:]:
        assert page.locator("article", has_text=text).count() == 1
    page.goto(post.url)
    assert page.locator("article", has_text="heard you after the cut").count() == 1
    ana.status_delete(post.id)
    kit.eventually(lambda: peer.received("Delete", object=post.uri), "the deletion after the cut")


def test_signatures_are_asked_for_and_forgeries_refused(waxwing, peer, ana, followed):
    session = waxwing.session()
    forged = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{peer.origin}/forged",
        "type": "Follow",
        "actor": peer.state()["actor"],
        "object": f"{waxwing.origin}/ap/users/{ana.me().id}",
    }
    headers = {"Content-Type": "application/activity+json"}
    reply = session.post(f"{waxwing.origin}/inbox", json=forged, headers=headers, timeout=10)
    assert reply.status_code == 401


def test_unfollow(waxwing, peer, ana, followed):
    bob = ana.account_lookup(f"bob@{peer.domain}")
    ana.account_unfollow(bob.id)
    kit.eventually(lambda: not peer.state()["followers"], "bob has no followers")
