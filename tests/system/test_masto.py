"""masto.js, the library under Elk and Phanpy, drives the sandbox."""

import re
import subprocess

import kit
from test_sandbox import sandbox  # noqa: F401 - the fixture

TESTS = kit.ROOT / "tests/system/masto"
LONGEST_S = 240


def pytest_generate_tests(metafunc):
    """One case for each test of the JavaScript files."""
    if "case" in metafunc.fixturenames:
        found = [
            (file.name, name)
            for file in sorted(TESTS.glob("*.test.mjs"))
            for name in re.findall(r'^test\("([^"]+)"', file.read_text(), re.M)
        ]
        metafunc.parametrize("case", found, ids=[f"{file}: {name}" for file, name in found])


def test_masto(sandbox, case):  # noqa: F811
    file, name = case
    pattern = f"^{re.escape(name)}$"
    command = [kit.NODE, "--test", "--test-name-pattern", pattern, "--test-reporter=spec", TESTS / file]
    run = subprocess.run(
        command,
        env={"WAXWING_URL": sandbox.url, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert run.returncode == 0 and "pass 1" in run.stdout, run.stdout[-6000:] + run.stderr[-2000:]
