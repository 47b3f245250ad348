"""megalodon, a client library in Rust, drives the sandbox: tests/megalodon."""

import os
import pathlib
import re
import subprocess

import pytest

import kit

PACKAGE = kit.ROOT / "tests/megalodon"
TARGET = kit.ROOT / "tests/.cache/rust-bot"
LONGEST_S = 240
BUILD_MAX_S = 600


def cases():
    """Each test by its file and name."""
    for file in sorted((PACKAGE / "surface").glob("*.rs")):
        for name in re.findall(r"#\[tokio::test[^\]]*\]\nasync fn (\w+)", file.read_text()):
            yield f"{file.stem}::{name}"


@pytest.fixture(scope="module")
def answers(folder):
    """What the tests said, by their names: they run once, all together."""
    manifest = ["--manifest-path", PACKAGE / "Cargo.toml", "--target-dir", TARGET, "--locked"]
    build = subprocess.run(["cargo", "test", "--no-run", "--quiet", *manifest], timeout=BUILD_MAX_S, check=False)
    assert build.returncode == 0
    sandbox = kit.start_sandbox(folder)
    try:
        run = subprocess.run(
            ["cargo", "test", *manifest],
            env={**os.environ, **sandbox.environment(), "RUST_BACKTRACE": "0"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    finally:
        sandbox.stop()
    found = dict(re.findall(r"^test (\S+) \.\.\. (\w+)", run.stdout, re.M))
    return found, run.stdout[-8000:] + run.stderr[-2000:]


@pytest.mark.parametrize("case", cases())
def test_megalodon(answers, case):
    found, output = answers
    assert found.get(case) == "ok", output


def test_every_method_is_called_by_a_test(answers):
    """No call of the library is left out."""
    # What the compiler wrote down of where the library is.
    made_of = next((TARGET / "debug/deps").glob("megalodon-*.d")).read_text()
    [library] = set(re.findall(r"\S+/src/megalodon\.rs(?=:)", made_of))
    methods = set(re.findall(r"^    async fn (\w+)", pathlib.Path(library).read_text(), re.M))
    assert len(methods) > 100
    tests = "".join(file.read_text() for file in (PACKAGE / "surface").glob("*.rs"))
    assert [name for name in sorted(methods) if not re.search(rf"\.\s*{name}\(", tests)] == []
