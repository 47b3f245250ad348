"""`waxwing --bench`: every scenario for a moment, with thresholds; what it
writes; and that nothing is left behind, however it ends."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import kit

SMALL = ["--people", "24", "--posts", "60", "--follows", "5", "--listeners", "20", "--destinations", "10"]
# An unoptimised program on a machine that runs other tests: only what is
# broken is to be found, not what is slow.
PATIENT = ["browse", "post", "stream", "inbox", "login", "media", "mixed", "deliver", "store"]
RUN_MAX_S = 240
GONE_MAX_S = 20


def bench(*arguments, folder, check=True):
    done = subprocess.run(
        [kit.BINARY, "--bench", *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_MAX_S,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def left_in(folder):
    return [path.name for path in pathlib.Path(folder).glob("waxwing-bench-*")]


@pytest.fixture(scope="module")
def whole(folder):
    """One run of everything, two seconds each."""
    expect = [part for name in PATIENT for part in ("--expect", f"{name}.p99<14s", "--expect", f"{name}.errors<5%")]
    done = bench(
        *SMALL, "--seconds", "2", "--rate", "8", *expect, "--json", folder / "run.json", "--html", folder / "run.html",
        folder=folder,
    )
    return done, json.loads((folder / "run.json").read_text())


def test_every_scenario_gives_figures(whole):
    done, report = whole
    found = {one["scenario"]: one for one in report["scenarios"]}
    assert set(found) == {*PATIENT, "proxy"}
    for name in PATIENT:
        (round,) = found[name]["rounds"]
        assert round["requests"] > 0 and round["latency"]["count"] > 0, name
        assert round["latency"]["p50"] <= round["latency"]["p99"] <= round["latency"]["max"], name
    for name in ("browse", "post", "inbox"):
        used = found[name]["rounds"][0]["used"]
        assert used["rss_mib"] > 5 and used["cpu"] > 0, used
        assert found[name]["rounds"][0]["generator"]["us_per_request"] > 0
    assert {kind["name"] for kind in found["browse"]["rounds"][0]["kinds"]} == {
        "home", "thread", "profile", "notifications",
    }
    assert len(found["deliver"]["destinations"]) == 10
    assert {one["nature"] for one in found["deliver"]["destinations"]} == {"well", "slow", "dead"}
    assert any(row["published"] for row in found["proxy"]["policies"])
    assert report["machine"]["cores"] >= 1 and report["machine"]["kernel"].startswith("Linux")
    assert all(one["held"] for one in report["expectations"])


def test_it_says_in_words_what_it_found(whole):
    done, report = whole
    assert "Measured on" in done.stdout
    assert re.search(r"browse: at .*/s half within .* ms, 99 of 100 within .* ms", done.stdout)
    assert re.search(r"stream: a post reaches 20 open pages", done.stdout)
    assert "The generator itself took" in done.stdout
    assert "Starting a temporary instance" in done.stderr and "Starting" not in done.stdout


def test_nothing_is_left_behind(whole, folder):
    assert left_in(folder) == []


def test_a_threshold_that_does_not_hold_fails(folder):
    done = bench("--only", "store", "--seconds", "0.5", "--expect", "store.p99<0.001us", folder=folder, check=False)
    assert done.returncode == 1
    assert "DOES NOT HOLD" in done.stderr and "does not hold" in done.stderr


def test_a_run_is_compared_with_an_earlier_one(whole, folder):
    done = bench(
        "--only", "store", "--seconds", "0.5", "--compare", folder / "run.json", "--json", folder / "again.json",
        folder=folder,
    )
    again = json.loads((folder / "again.json").read_text())
    assert again["settings"]["rounds"] == 3
    assert {one["metric"] for one in again["comparison"]} >= {"store.p50", "store.p99", "store.rate"}
    assert "store.rate" in done.stdout and "noise" in done.stdout


def test_the_limit_is_found_and_what_gave_way_is_named(folder):
    bench(
        *SMALL, "--only", "login", "--seconds", "1", "--rate", "4", "--find-limit", "p99<=400ms,errors<=1%",
        "--json", folder / "limit.json", "--html", folder / "limit.html", folder=folder,
    )
    limit = json.loads((folder / "limit.json").read_text())["scenarios"][0]["limit"]
    assert limit["broke_per_s"] and len(limit["steps"]) >= 2, limit
    assert limit["culprit"] and limit["evidence"], limit
    assert "Rate and latency" in (folder / "limit.html").read_text()


def children_of(pid):
    listing = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if "bench-instance" in line]


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_ends_the_instance(folder, how):
    home = folder / how.name
    home.mkdir()
    program = kit.Program(
        [kit.BINARY, "--bench", *SMALL, "--only", "browse", "--seconds", "60"],
        home / "log",
        env={"TMPDIR": str(home)},
    )
    pid = program.process.pid
    kit.eventually(lambda: "browse: people read" in (home / "log").read_text(), "it measures", 60)
    (child,) = children_of(pid)
    status = program.stop(how, seconds=GONE_MAX_S)
    assert status != 0
    kit.eventually(lambda: not is_alive(child), "the instance has ended", GONE_MAX_S)
    if how != signal.SIGKILL:
        assert left_in(home) == []
    else:
        # Nobody could tidy up after a kill but the instance, which does.
        kit.eventually(lambda: not list(home.glob("waxwing-bench-*/instance")), "the data is gone", GONE_MAX_S)


def test_a_server_that_runs_is_measured_with_a_token(waxwing, folder):
    waxwing.make_owner("ana", "cedar and juniper")
    client = kit.app(waxwing, "ana", "cedar and juniper")
    for number in range(3):
        client.status_post(f"berry {number}")
    before = client.account_verify_credentials()["statuses_count"]
    reach = ["--token", client.access_token, "--root", waxwing.root, "--seconds", "1", "--rate", "10"]
    done = bench(waxwing.origin, *reach, "--expect", "browse.errors<1%", folder=folder)
    assert "browse: at" in done.stdout
    assert client.account_verify_credentials()["statuses_count"] == before
    refused = bench(waxwing.origin, *reach, "--only", "post", folder=folder, check=False)
    assert refused.returncode == 1 and "--write" in refused.stderr
    bench(waxwing.origin, *reach, "--only", "post", "--write", folder=folder)
    assert client.account_verify_credentials()["statuses_count"] > before


def test_servers_of_others_are_left_alone(folder):
    begin = time.monotonic()
    done = bench("https://social.example", "--token", "x", folder=folder, check=False)
    assert done.returncode == 1 and "--i-own-this-server" in done.stderr
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("width, scheme", [(390, "light"), (390, "dark"), (1280, "light")])
def test_the_report_can_be_read_on_a_phone(whole, folder, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "run.html").as_uri())
    assert len(asked) == 1, asked
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator("svg").count() >= 12
    pictures = kit.ROOT / "tests/.cache/pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / f"bench-{width}-{scheme}.png", full_page=True)
    context.close()
