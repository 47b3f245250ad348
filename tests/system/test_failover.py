"""The machine of the primary database dies under load: its copy takes over,
and nothing that was acknowledged is lost."""

import os
import re

import pytest

import database
import kit
import patroni
from test_postgres import Client, Load

PASSWORD = "cedar and juniper"
# Until etcd forgets the dead primary, the copy is promoted, and we find it; a
# server on a database that is away for longer answers 503.
PAUSE_MAX_S = patroni.TTL_S + 25
# How often the primary dies; `tests/run failover` lets the two take turns.
DEATHS = int(os.environ.get("WAXWING_FAILOVERS", "1"))

pytestmark = pytest.mark.skipif(bool(patroni.missing()), reason=f"not installed: {patroni.missing()}")


@pytest.fixture(scope="module")
def cluster():
    both = patroni.Cluster()
    yield both
    both.remove()


@pytest.fixture(scope="module")
def server(folder, authority, cluster):
    server = kit.Waxwing(folder / "server", authority, [f"store {cluster.url()}"]).start()
    yield server
    server.kill()


def test_the_copy_takes_over_when_the_primary_dies_under_load(server, cluster):
    server.make_owner("ana", PASSWORD)
    client = Client(server, kit.app(server, "ana", PASSWORD).access_token)
    loads = [Load(client.copy(), f"writer {number}") for number in range(4)]
    for load in loads:
        load.reach(10)
    for death in range(DEATHS):
        if death > 0:
            # It comes back as the copy, before the other one dies.
            dying.start()
            cluster.wait_until_safe()
        dying = cluster.primary()
        dying.kill()
        for load in loads:
            load.reach(len(load.acknowledged) + 5, 2 * PAUSE_MAX_S)
    for load in loads:
        load.stop()
    slowest_s = max(load.slowest_s for load in loads)
    failures = [failure for load in loads for failure in load.failures]
    print(f"the slowest post took {slowest_s:.1f} s, {len(failures)} failed")
    assert not failures, failures
    assert slowest_s < PAUSE_MAX_S
    texts = client.texts()
    lost = {text for load in loads for text in load.acknowledged} - set(texts)
    assert not lost, sorted(lost)
    assert len(texts) == len(set(texts)), "something was posted twice"
    # One line says what happened.
    told = [line for line in server.log.read_text().splitlines() if "failed over from" in line]
    assert len(told) == DEATHS, told
    for line in told:
        assert re.search(r"failed over from 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+ and was away for [\d.]+ s", line)
    assert database.PASSWORD not in server.log.read_text()
