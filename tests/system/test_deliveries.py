"""A person sees where their post has got to; an admin sees and steers the queue from a terminal."""

import json
import re
import subprocess
import threading
import time

import pytest

import fleet
import kit

PASSWORD = "cedar and juniper"


@pytest.fixture(scope="module")
def ana(waxwing):
    waxwing.make_owner("ana", PASSWORD)
    return kit.app(waxwing, "ana", PASSWORD)


@pytest.fixture
def servers(ana):
    """Starts servers whose pip ana knows."""
    started = []

    def start(*modes, wait_s=0.0):
        some = [fleet.Server(mode, wait_s) for mode in modes]
        started.extend(some)
        for server in some:
            assert ana.search_v2(server.actor, resolve=True).accounts, server.actor
        return some

    yield start
    for server in started:
        server.stop()


def ask(waxwing, client, path, status=200):
    reply = waxwing.session().get(
        f"{waxwing.origin}{path}", headers={"Authorization": f"Bearer {client.access_token}"}, timeout=10
    )
    assert reply.status_code == status, reply.text
    return reply.json()


def reach(waxwing, client, post):
    """Total, delivered, pending, failed."""
    said = ask(waxwing, client, f"/api/waxwing/v1/statuses/{post.id}/deliveries")
    assert said["delivered"] + said["pending"] + said["failed"] == said["total"], said
    assert said["servers"] == said["total"]
    return said["total"], said["delivered"], said["pending"], said["failed"]


def write_to(ana, some, text="hello"):
    return ana.status_post(f"{text} " + " ".join(server.handle for server in some))


def deliveries(waxwing, *arguments):
    return waxwing.command("deliveries", *arguments)


def as_json(waxwing, *arguments):
    return json.loads(deliveries(waxwing, *arguments, "--json"))


def refused(waxwing, *arguments):
    """What a command says that is not done."""
    done = subprocess.run(
        [kit.BINARY, "deliveries", *arguments, "--config", waxwing.config],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode != 0, done.stdout
    return done.stderr


def test_who_wrote_a_post_sees_where_it_is(waxwing, ana, servers, browser):
    good, better, rude, lost = servers("take", "take", "refuse", "hang up")
    post = write_to(ana, (good, better, rude, lost))
    kit.eventually(lambda: reach(waxwing, ana, post) == (4, 2, 1, 1), "two have it, one is tried, one refused")
    said = ask(waxwing, ana, f"/api/waxwing/v1/statuses/{post.id}/deliveries")
    assert [(one["host"], one["reason"]) for one in said["failed_hosts"]] == [(rude.host, "refused")]

    # Without scripts.
    session = waxwing.session()
    waxwing.log_in(session, "ana", PASSWORD)
    page = session.get(post.url, timeout=10).text
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "2 servers have it 1 is still tried 1 did not get it" in words
    assert rude.host in page

    # With scripts it is seen to change.
    context = browser.new_context(ignore_https_errors=True)
    tab = context.new_page()
    tab.goto(f"{waxwing.origin}/login")
    tab.fill('input[name="name"]', "ana")
    tab.fill('input[name="password"]', PASSWORD)
    tab.click('form[action="/login"] button')
    tab.wait_for_selector("form[data-compose]")
    tab.goto(post.url)
    tab.click(".reach summary")
    assert rude.host in tab.inner_text(".reach")
    lost.mode = "take"
    deliveries(waxwing, "probe", lost.host)
    tab.wait_for_selector('.reach:has-text("3 servers have it")', timeout=60_000)
    assert "still tried" not in tab.inner_text(".reach")
    assert tab.locator(".reach details").get_attribute("open") is not None
    assert reach(waxwing, ana, post) == (4, 3, 0, 1)
    context.close()


def test_nobody_else_sees_it(waxwing, ana, servers):
    [good] = servers("take")
    post = write_to(ana, [good])
    waxwing.command("user", "create", "ben", password=PASSWORD)
    ben = kit.app(waxwing, "ben", PASSWORD)
    path = f"/api/waxwing/v1/statuses/{post.id}/deliveries"
    ask(waxwing, ben, path, 404)
    assert waxwing.session().get(f"{waxwing.origin}{path}", timeout=10).status_code == 401
    session = waxwing.session()
    waxwing.log_in(session, "ben", PASSWORD)
    assert 'class="reach"' not in session.get(post.url, timeout=10).text
    assert session.get(f"{waxwing.origin}/posts/{post.id}/reach", timeout=10).status_code == 404
    assert 'class="reach"' not in waxwing.session().get(post.url, timeout=10).text
    # Nor can ana ask after one of ben's.
    ask(waxwing, ana, f"/api/waxwing/v1/statuses/{ben.status_post('mine').id}/deliveries", 404)


def test_the_queue_is_steered_from_a_terminal(waxwing, ana, servers):
    [one] = servers("take")
    write_to(ana, [one], "first")
    kit.eventually(lambda: len(one.received) == 1, "the first post")

    def is_idle():
        [row] = as_json(waxwing, "list", "--find", one.host)
        return row["state"] == "closed" and row["waiting"] == 0

    kit.eventually(is_idle, "nothing waits there any more")
    assert one.host in deliveries(waxwing, "list", "--find", one.host)

    # Held, limited, explained, resumed.
    assert "is paused" in deliveries(waxwing, "pause", one.host)
    post = write_to(ana, [one], "second")
    kit.eventually(lambda: as_json(waxwing, "show", one.host)["jobs"], "the job waits")
    assert "paused" in deliveries(waxwing, "list", "--paused")
    job = as_json(waxwing, "show", one.host)["jobs"][0]
    assert job["kind"] == "create"
    kit.eventually(
        lambda: as_json(waxwing, "explain", one.host, job["act"], job["inbox"])["rule"] == "paused",
        "it waits because it is paused",
    )
    assert "an admin paused" in deliveries(waxwing, "explain", one.host, job["act"], job["inbox"])
    assert reach(waxwing, ana, post) == (1, 0, 1, 0)
    assert "new limits" in deliveries(waxwing, "limits", one.host, "--rate", "5", "--cap", "2")
    assert as_json(waxwing, "show", one.host)["details"]["limits"]["cap_max"] == 2
    deliveries(waxwing, "resume", one.host)
    kit.eventually(lambda: reach(waxwing, ana, post) == (1, 1, 0, 0), "the second post")

    # Thrown away.
    deliveries(waxwing, "pause", one.host)
    post = write_to(ana, [one], "third")
    kit.eventually(lambda: reach(waxwing, ana, post) == (1, 0, 1, 0), "the third post waits")
    assert "0 deliveries" in deliveries(waxwing, "purge", one.host, "--kind", "fan_out")
    assert "1 delivery" in deliveries(waxwing, "purge", one.host)
    assert reach(waxwing, ana, post) == (1, 0, 0, 1)
    deliveries(waxwing, "resume", one.host)

    # Refused, then tried again.
    one.mode = "refuse"
    post = write_to(ana, [one], "fourth")
    kit.eventually(lambda: reach(waxwing, ana, post) == (1, 0, 0, 1), "the fourth post is refused")
    letters = [json.loads(line) for line in deliveries(waxwing, "export", one.host).splitlines()]
    assert [(letter["host"], letter["reason"], letter["http_status"]) for letter in letters] == [
        (one.host, "refused", 403)
    ]
    one.mode = "take"
    assert as_json(waxwing, "replay", one.host, "--reason", "expired")["jobs"] == 0
    assert as_json(waxwing, "replay", one.host)["jobs"] == 1
    kit.eventually(lambda: reach(waxwing, ana, post) == (1, 1, 0, 0), "the fourth post")
    assert not deliveries(waxwing, "export", one.host)


def test_what_cannot_be_done_is_said_clearly(waxwing, ana, servers):
    [one] = servers("take")
    write_to(ana, [one])
    for arguments, words in [
        (("show", "nowhere.example"), "nothing was ever sent to `nowhere.example`"),
        (("limits", one.host, "--cap", "0"), "--cap"),
        (("purge", one.host, "--kind", "magic"), "kind of work"),
        (("purge", one.host, "--before", "tomorrow"), "is no time"),
        (("replay", one.host, "--reason", "boredom"), "reason"),
        (("explain", one.host, "x"), "is no id"),
    ]:
        said = refused(waxwing, *arguments)
        assert words in said and "panicked" not in said, said


def test_counts_are_right_after_power_cuts(waxwing, ana, servers):
    """kill -9 while deliveries are under way, then as many have it as say so."""
    some = servers(*["take"] * 12, "refuse", "hang up", wait_s=0.15)
    for cut in range(3):
        posts = [write_to(ana, some, f"cut {cut}.{n}") for n in range(3)]
        time.sleep(0.1 + 0.3 * cut)
        waxwing.kill()
        waxwing.start()
        for post in posts:
            kit.eventually(
                lambda: reach(waxwing, ana, post) == (14, 12, 1, 1), f"{reach(waxwing, ana, post)}", 60
            )
            for server in some[:12]:
                assert len(set(server.got("Create", post.uri))) == 1, "each has it, under one id"


def test_deliveries_can_be_looked_at_while_no_server_runs(waxwing, ana, servers):
    [one] = servers("take")
    post = write_to(ana, [one])
    kit.eventually(lambda: reach(waxwing, ana, post) == (1, 1, 0, 0), "it arrives")
    waxwing.stop()
    try:
        assert "no server runs" in deliveries(waxwing, "list")
        deliveries(waxwing, "pause", one.host)
        assert "no server runs" in refused(waxwing, "probe", one.host)
    finally:
        waxwing.start()
    assert as_json(waxwing, "show", one.host)["details"]["destination"]["is_paused"]
    deliveries(waxwing, "resume", one.host)


def samples(text, name):
    """Every sample of a metric: its labels and value."""
    return {
        found.group(1) or "": float(found.group(2))
        for found in re.finditer(rf"^{name}(\{{[^}}]*\}})? (\S+)$", text, re.M)
    }


def test_the_metrics_are_all_there_and_count(waxwing, ana, servers):
    good, lost = servers("take", "hang up")
    before = samples(waxwing.metrics(), "waxwing_delivery_attempts_total")
    post = write_to(ana, (good, lost))
    kit.eventually(lambda: reach(waxwing, ana, post) == (2, 1, 1, 0), "one has it")
    text = waxwing.metrics()
    after = samples(text, "waxwing_delivery_attempts_total")
    # The fan-out is an attempt of our own.
    assert after['{outcome="done"}'] >= before['{outcome="done"}'] + 2
    assert after['{outcome="connection"}'] > before['{outcome="connection"}']
    for name in [
        "queued", "oldest_seconds", "inflight", "attempts_total", "dest_state", "breaker_transitions_total",
        "tokens_paused", "dead_total", "window_headers", "lease_epoch", "dest_queued",
    ]:
        assert samples(text, f"waxwing_delivery_{name}"), name
    for name in ["latency_seconds", "rtt_seconds", "sign_seconds", "commit_seconds", "batch_rows"]:
        counted = samples(text, f"waxwing_delivery_{name}_count")
        assert counted and sum(counted.values()) > 0, name
        assert samples(text, f"waxwing_delivery_{name}_bucket"), name
    for lane in ("interactive", "fresh", "bulk"):
        assert f'{{lane="{lane}"}}' in samples(text, "waxwing_delivery_queued")

    def is_named():
        return samples(waxwing.metrics(), "waxwing_delivery_dest_queued").get(f'{{dest="{lost.host}"}}')

    kit.eventually(is_named, "the host with a backlog has a line")
    # Each metric has one type, before its samples.
    kinds = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
    assert len(kinds) == len({name for name, _ in kinds})
