"""Every public method of Mastodon.py is called by some test of ours."""

import re

from mastodon import Mastodon

import kit

# What is no call of the server's, with the reason; keep it short.
NOT_CALLED = {}


def test_every_method_is_called_by_a_test():
    tests = "".join(file.read_text() for file in (kit.ROOT / "tests/system").rglob("*.py"))
    methods = {name for name in dir(Mastodon) if not name.startswith("_") and callable(getattr(Mastodon, name))}
    called = {name for name in methods if re.search(rf"\.{name}\b", tests)}
    assert methods - called == set(NOT_CALLED)
