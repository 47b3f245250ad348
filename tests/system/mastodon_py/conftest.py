"""People of a sandbox, each with a Mastodon.py client."""

import itertools

import pytest
from mastodon import Mastodon

import kit

ADMIN_TOKEN = "the-admins-own-token"
SCOPES = ["read", "write", "follow", "push", "profile"]
PASSWORD = "cedar and juniper"


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    """The address of a sandbox."""
    command = [kit.BINARY, "sandbox", "--listen", "127.0.0.1:0", "--admin-token", ADMIN_TOKEN]
    program = kit.Program(command, tmp_path_factory.mktemp("sandbox") / "sandbox.log")
    yield program.line(r"serves (http://\S+)").group(1)
    program.stop()


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
def admin(url):
    return Mastodon(access_token=ADMIN_TOKEN, api_base_url=url, ratelimit_method="throw")


@pytest.fixture(scope="module")
def ana(join):
    return join("ana")


@pytest.fixture(scope="module")
def ben(join):
    return join("ben")
