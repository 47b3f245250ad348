"""`waxwing --bench`: every scenario for a moment, with thresholds; what it
writes; and that nothing is left behind, however it ends."""

import http.server
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import threading
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
    # So few have no 99th percentile.
    assert re.search(r"browse: at .*/s half within .* ms, all \d+ within .* ms", done.stdout)
    assert "how many people it holds, `--find-limit` tells" in done.stdout
    assert re.search(r"stream: a post reaches 20 open pages", done.stdout)
    assert "The generator itself took" in done.stdout
    assert "Starting a temporary instance" in done.stderr and "Starting" not in done.stdout


def test_nothing_is_left_behind(whole, folder):
    assert left_in(folder) == []


def test_a_threshold_that_does_not_hold_fails(folder):
    done = bench("--only", "store", "--seconds", "0.5", "--expect", "store.p99<0.001us", folder=folder, check=False)
    assert done.returncode == 1
    assert "DOES NOT HOLD" in done.stdout and "the one expectation does not hold" in done.stderr


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--expect", "browse.p99"], "compares nothing"),
        (["--expect", "browse.p99<100"], "`100` has no unit: it takes ms, us, µs, s"),
        (["--expect", "browse.away.p99<1s"], "it has home, thread, profile, notifications"),
        (["--expect", "browse.limit>5/s"], "add `--find-limit`"),
        (["--find-limit", "fast"], "write `p99<=250ms,errors<=0.1%`"),
        (["--only", "brows"], "there are browse, post, stream"),
        (["--expect", "browse.errors<1"], "`1` has no unit: it takes %"),
        (["--only", "browse", "--closed", "4", "--find-limit"], "`--closed` and `--find-limit` do not go together"),
        (["--closed", "4"], "`inbox` cannot be measured with `--closed`"),
        (["--only", "stream", "--find-limit"], "it looks for that of browse"),
        (["--json", "/nowhere/at/all.json"], "there is no folder `/nowhere/at`"),
        (["--compare", "/nowhere.json"], "write one with `waxwing --bench --json FILE`"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_begun(folder, arguments, part):
    done = bench(*arguments, folder=folder, check=False)
    assert done.returncode == 2 and part in done.stderr, done.stderr
    assert "Starting" not in done.stderr and done.stdout == ""


def test_a_run_is_compared_with_an_earlier_one(whole, folder):
    done = bench(
        "--only", "store", "--seconds", "0.5", "--compare", folder / "run.json", "--json", folder / "again.json",
        folder=folder,
    )
    again = json.loads((folder / "again.json").read_text())
    assert again["settings"]["rounds"] == 3
    assert {one["metric"] for one in again["comparison"]} >= {"store.p50", "store.rate"}
    assert "store.rate" in done.stdout and "noise" in done.stdout


def test_the_limit_is_found_and_what_gave_way_is_named(folder):
    bench(
        *SMALL, "--only", "browse", "--seconds", "0.5", "--rate", "100", "--find-limit", "p99<=250ms,errors<=1%",
        "--json", folder / "limit.json", "--html", folder / "limit.html", folder=folder,
    )
    limit = json.loads((folder / "limit.json").read_text())["scenarios"][0]["limit"]
    # The table says what the result says.
    assert all(one["held"] == (one["offered_per_s"] <= limit["held_per_s"]) for one in limit["steps"]), limit
    assert all(one["requests"] for one in limit["steps"]), limit
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


SEEDING = (["--only", "browse"], "Starting a temporary instance")
MEASURING = ([*SMALL, "--seconds", "60", "--only", "browse"], "browse: people read")
SEARCHING = ([*SMALL, "--seconds", "0.5", "--only", "login", "--find-limit"], "login: looking for the limit")
STORING = (["--seconds", "60", "--only", "store"], "store: the store alone")


@pytest.mark.parametrize(
    "how, stage",
    [
        (signal.SIGINT, SEEDING),
        (signal.SIGINT, MEASURING),
        (signal.SIGINT, SEARCHING),
        (signal.SIGTERM, STORING),
        (signal.SIGHUP, MEASURING),
        (signal.SIGKILL, SEEDING),
        (signal.SIGKILL, MEASURING),
    ],
)
def test_whatever_ends_it_ends_the_instance(tmp_path, how, stage):
    arguments, line = stage
    log = tmp_path / "log"
    program = kit.Program([kit.BINARY, "--bench", *arguments], log, env={"TMPDIR": str(tmp_path)})
    pid = program.process.pid
    kit.eventually(lambda: line in log.read_text(), line, 60)
    has_instance = stage is not STORING
    children = kit.eventually(lambda: children_of(pid), "the instance", 10) if has_instance else []
    assert program.stop(how, seconds=GONE_MAX_S) != 0
    kit.eventually(lambda: not any(map(is_alive, children)), "the instance has ended", GONE_MAX_S)
    # Nobody can tidy up after a kill but the instance, which does.
    kit.eventually(lambda: left_in(tmp_path) == [], "nothing is left", GONE_MAX_S)
    if how != signal.SIGKILL:
        assert "stopped before the end; nothing is left behind" in log.read_text()


def test_an_instance_that_dies_is_noticed(tmp_path):
    log = tmp_path / "log"
    arguments = [*SMALL, "--seconds", "60", "--only", "browse", "--json", tmp_path / "run.json"]
    program = kit.Program([kit.BINARY, "--bench", *arguments], log, env={"TMPDIR": str(tmp_path)})
    kit.eventually(lambda: "browse: people read" in log.read_text(), "it measures", 60)
    os.kill(children_of(program.process.pid)[0], signal.SIGKILL)
    assert program.process.wait(GONE_MAX_S) == 2
    assert "browse could not be measured: the instance ended (signal: 9" in log.read_text()
    assert "the instance ended" in json.loads((tmp_path / "run.json").read_text())["scenarios"][0]["failed"]
    assert left_in(tmp_path) == []


def test_what_a_killed_run_left_is_swept_away_by_the_next(tmp_path):
    program = kit.Program(
        [kit.BINARY, "--bench", "--only", "store", "--seconds", "60"], tmp_path / "log", env={"TMPDIR": str(tmp_path)}
    )
    kit.eventually(lambda: "store: the store alone" in (tmp_path / "log").read_text(), "it measures", 30)
    program.stop(signal.SIGKILL)
    assert len(left_in(tmp_path)) == 1
    bench("--only", "store", "--seconds", "0.5", folder=tmp_path)
    assert left_in(tmp_path) == []


def test_a_terminal_shows_one_line_that_changes(tmp_path):
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [kit.BINARY, "--bench", *SMALL, "--only", "browse", "--seconds", "1"],
        stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass  # Nobody writes to it any more.
    assert done.wait(RUN_MAX_S) == 0
    os.close(ours)
    drawn = seen.decode().split("\r\x1b[2K")
    assert any(re.search(r"\[=+ *\] browse +\d+/1 s .*p99 .* ms", line) for line in drawn), drawn
    # A terminal that is too narrow cuts such a line off.
    assert all(line.endswith("\x1b[?7h") for line in drawn if "[=" in line), drawn
    assert b"browse: at" in done.stdout.read()


def test_a_server_that_runs_is_measured_with_a_token(waxwing, folder):
    waxwing.make_owner("ana", "cedar and juniper")
    client = kit.app(waxwing, "ana", "cedar and juniper")
    for number in range(3):
        client.status_post(f"berry {number}")
    before = client.account_verify_credentials()["statuses_count"]
    (folder / "token").write_text(client.access_token + "\n")
    reach = ["--token-file", folder / "token", "--root", waxwing.root, "--seconds", "1", "--rate", "10"]
    done = bench(waxwing.origin, *reach, "--expect", "browse.errors<1%", folder=folder)
    assert "browse: at" in done.stdout
    # Nothing is said of what cannot be seen from outside.
    assert "The clients ran on" in done.stdout and "durable" not in done.stdout and "Other programs" not in done.stdout
    assert client.account_verify_credentials()["statuses_count"] == before
    refused = bench(waxwing.origin, *reach, "--only", "post", folder=folder, check=False)
    assert refused.returncode == 2 and "--write" in refused.stderr
    bench(waxwing.origin, *reach, "--only", "post", "--write", folder=folder)
    assert client.account_verify_credentials()["statuses_count"] > before


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers like a server with one post, and notes how it is asked."""

    protocol_version = "HTTP/1.1"
    asked = []

    def do_GET(self):
        self.asked.append(self.command)
        post = {"id": "1", "uri": "", "account": {"id": "2", "username": "ana"}}
        mine = {"id": "2", "username": "ana"}
        body = json.dumps(mine if "verify_credentials" in self.path else [post]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_):
        pass


def test_nothing_but_reading_is_asked_without_leave(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    bench(origin, "--token", "x", "--seconds", "1", "--rate", "50", folder=folder)
    server.shutdown()
    assert len(Recorder.asked) > 20 and set(Recorder.asked) == {"GET"}


def test_servers_of_others_are_left_alone(folder):
    begin = time.monotonic()
    done = bench("https://social.example", "--token", "x", folder=folder, check=False)
    assert done.returncode == 2 and "--i-own-this-server" in done.stderr
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "width, scheme, medium",
    [(390, "light", "screen"), (390, "dark", "screen"), (1280, "light", "screen"), (760, "dark", "print")],
)
def test_the_report_can_be_read_everywhere(whole, folder, browser, width, scheme, medium):
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    page = context.new_page()
    page.emulate_media(media=medium)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "run.html").as_uri())
    assert len(asked) == 1, asked
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator("svg").count() >= 12
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (medium == "print"), paper
    pictures = kit.ROOT / "tests/.cache/pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / f"bench-{width}-{scheme}-{medium}.png", full_page=True)
    if medium == "print":
        page.pdf(path=pictures / "bench.pdf", format="A4", print_background=True)
    context.close()
