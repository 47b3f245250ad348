"""People of a sandbox, each with a Mastodon.py client."""

import itertools

import pytest
from mastodon import Mastodon

import kit

SCOPES = ["read", "write", "follow", "push", "profile"]
PASSWORD = "cedar and juniper"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    server = kit.start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def url(sandbox):
    """The address of the sandbox."""
    return sandbox.url


@pytest.fixture(scope="session")
def join(url):
    """Signs somebody new up, as an app does, and gives their client."""
    app = Mastodon.create_app("Mastodon.py", scopes=SCOPES, api_base_url=url)
    number = itertools.count()

    def join(name):
        client = Mastodon(*app, api_base_url=url, ratelimit_method="throw")
        name = f"{name}{next(number)}"
        client.create_account(name, PASSWORD, f"{name}@mail.example", agreement=True, scopes=SCOPES)
        return client

    return join


@pytest.fixture(scope="session")
def admin(sandbox):
    return Mastodon(access_token=sandbox.admin_token, api_base_url=sandbox.url, ratelimit_method="throw")


@pytest.fixture(scope="module")
def ana(join):
    return join("ana")


@pytest.fixture(scope="module")
def ben(join):
    return join("ben")
