"""Fixtures: one authority, one Waxwing, one Fedify peer, one browser."""

import pytest

import kit
import nodes

# The files that take longest begin first, so that none is left running alone.
LONGEST = ["test_schema", "test_bench", "test_masto", "test_megalodon", "test_failover"]


def pytest_collection_modifyitems(items):
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.module.__name__, len(LONGEST)))
    # On several nodes, what makes no sense there is left out, and says why.
    for item in items if nodes.COUNT > 1 else ():
        if reason := nodes.reason_to_skip(item.path):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def authority():
    return kit.new_authority()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, request):
    return tmp_path_factory.mktemp(request.module.__name__)


@pytest.fixture(scope="module")
def waxwing(folder, authority):
    server = kit.Waxwing(folder / "waxwing", authority).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def peer(folder, authority, waxwing):
    server = kit.Peer(folder / "peer", authority, trusts=waxwing.root)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=kit.chromium(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield chromium
        chromium.close()
