"""Puts the figures of one run into the README, between its two marks.

    waxwing --bench --find-limit --json run.json
    tests/bench/readme.py run.json
"""

import json
import pathlib
import re
import sys

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
MARKS = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
# Of the summary: where, what, and what the generator cost. Nothing of one comparison or threshold.
LEFT_OUT = re.compile(r"^(expected |[a-z_.0-9]+: .*(noise|before))")

# Which disk of which kernel it was is nobody's business.
OWN = [(re.compile(r" on /dev/\S+"), ""), (re.compile(r"(Linux \d+\.\d+)[^;,\s]*"), r"\1")]


def shown(line):
    for pattern, instead in OWN:
        line = pattern.sub(instead, line)
    return f"- {line}"


def main(path):
    report = json.loads(pathlib.Path(path).read_text())
    lines = [shown(line) for line in report["summary"] if not LEFT_OUT.match(line)]
    text, found = MARKS.subn(lambda mark: mark[1] + "\n".join(lines) + "\n" + mark[2], README.read_text())
    if found != 1:
        sys.exit("the README has no two marks <!-- bench --> and <!-- /bench -->")
    README.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
