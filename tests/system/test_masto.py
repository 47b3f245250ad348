"""masto.js, the library under Elk and Phanpy, drives the sandbox."""

import re
import subprocess

import pytest

import kit

TESTS = kit.ROOT / "tests/system/masto"
LONGEST_S = 240
# What no test calls, with the reason; keep it short.
NOT_CALLED = {}


def pytest_generate_tests(metafunc):
    """One case for each test of the JavaScript files."""
    if "case" in metafunc.fixturenames:
        found = [
            (file.name, name)
            for file in sorted(TESTS.glob("*.test.mjs"))
            for name in re.findall(r'^test\("([^"]+)"', file.read_text(), re.M)
        ]
        metafunc.parametrize("case", found, ids=[f"{file}: {name}" for file, name in found])


@pytest.fixture(scope="module")
def sandbox(folder):
    server = kit.start_sandbox(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def called(folder):
    """Where the tests write down which methods they called."""
    return folder / "called"


def test_masto(sandbox, case, called):
    file, name = case
    pattern = f"^{re.escape(name)}$"
    command = [kit.NODE, "--test", "--test-name-pattern", pattern, "--test-reporter=spec", TESTS / file]
    run = subprocess.run(
        command,
        env={**sandbox.environment(), "WAXWING_CALLED": str(called), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert run.returncode == 0 and "pass 1" in run.stdout, run.stdout[-6000:] + run.stderr[-2000:]


def test_every_method_is_called_by_a_test(called):
    listed = subprocess.run([kit.NODE, TESTS / "surface.mjs"], capture_output=True, text=True, check=True, timeout=60)
    methods = set(listed.stdout.split())
    assert len(methods) > 200
    assert methods - set(called.read_text().split()) == set(NOT_CALLED), "of all the tests above"
