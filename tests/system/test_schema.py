"""The API held to its own description: schemathesis makes requests out of
/api/openapi.json, good ones and bad ones, and no answer may be a server error
or one that the description does not have."""

import pathlib
import subprocess
import sys

import pytest

import kit

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Streams do not end; a push subscription makes the server call out.
ENDLESS = "/streaming"


@pytest.fixture(scope="module")
def sandbox(folder):
    server = kit.start_sandbox(folder)
    yield server
    server.stop()


@pytest.mark.parametrize(("who", "seconds"), [("an admin", 70), ("nobody", 25)])
def test_every_answer_is_one_that_is_described(sandbox, folder, who, seconds):
    headers = ["-H", f"Authorization: Bearer {sandbox.admin_token}"] if who == "an admin" else []
    done = subprocess.run(
        [
            pathlib.Path(sys.executable).parent / "st",
            "run",
            f"{sandbox.url}/api/openapi.json",
            *headers,
            "--checks",
            CHECKS,
            "--phases=examples,coverage,fuzzing",
            "--max-examples=4",
            f"--max-time={seconds}",
            "--generation-deterministic",
            "--no-shrink",
            "--suppress-health-check=all",
            "--request-timeout=10",
            "--warnings=off",
            f"--exclude-path-regex={ENDLESS}",
            "--continue-on-failure",
            "--no-color",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Test cases:" in done.stdout, done.stdout[-2000:]
