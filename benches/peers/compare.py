#!/usr/bin/env python3
"""Runs rosterctl and its peers on the same jobs, against the same simulator of Slack, and prints what each took.

usage: compare.py [--users N]

Needs `rosterctl` and `benches`, both built for release (`just bench-peers` builds them), and the package index that pip
uses. The simulator keeps Slack's published rate limits, so the jobs that write take as long as they would at Slack.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
ROSTERCTL = TARGET / "release" / "rosterctl"
BENCHES = TARGET / "release" / "benches"
WORK = TARGET / "bench" / "peers"


def environment(name, constraints=None):
    """The Python of an environment of its own with what a requirements file names; None where pip fails."""
    folder = WORK / f"venv-{name}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        settings = dict(os.environ)
        if constraints:
            settings["PIP_CONSTRAINT"] = str(HERE / constraints)
        requirements = HERE / f"requirements-{name}.txt"
        install = [python, "-m", "pip", "install", "--quiet", "--requirement", requirements]
        result = subprocess.run(install, env=settings, capture_output=True, text=True)
        if result.returncode:
            print(f"{name} cannot be installed:\n{result.stderr[-600:]}", file=sys.stderr)
            return None
        done.touch()
    return python


class Simulator:
    """A simulator that holds a snapshot."""

    def __init__(self, snapshot):
        self.process = subprocess.Popen(
            [BENCHES, "serve", snapshot, "strict"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()

    def requests(self):
        """Reads, writes and refusals since this was last asked."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [int(count) for count in self.process.stdout.readline().split()]

    def end(self):
        self.process.kill()
        self.process.wait()


def rosterctl(*arguments):
    return [ROSTERCTL, *arguments]


def settings():
    return {**os.environ, "SLACK_SCIM_TOKEN": "xoxp-bench", "SLACK_TOKEN": "xoxp-bench", "TMPDIR": str(WORK)}


def left_to_do(simulator, roster):
    """How many requests a plan still has."""
    command = rosterctl("plan", roster, "--target", simulator.url, "--format", "json")
    plan = subprocess.run(command, env=settings(), capture_output=True, text=True, check=True)
    return len(json.loads(plan.stdout)["changes"])


def run(job, tool, snapshot, roster, command):
    """Runs a tool against a simulator of its own and prints a line about it."""
    simulator = Simulator(snapshot)
    try:
        started = time.monotonic()
        with open(WORK / "complaints.txt", "w+", encoding="utf-8") as complaints:
            process = subprocess.Popen(
                command(simulator.url),
                env=settings(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            code = process.returncode = os.waitstatus_to_exitcode(status)
            complaints.seek(0)
            complained = complaints.read()[-400:].strip()
        reads, writes, refused = simulator.requests()
        left = left_to_do(simulator, roster) if roster else "-"
    finally:
        simulator.end()
    cpu = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    failed = "" if code == 0 else f"  ended with {code}: {complained}"
    took = f"{seconds:>8.2f} {cpu:>7.2f} {peak:>8.1f}"
    print(f"{job:<34} {tool:<12} {took} {reads:>6} {writes:>7} {refused:>5} {left:>8}{failed}", flush=True)


def world(people):
    folder = WORK / str(people)
    subprocess.run([BENCHES, "world", folder, str(people)], check=True)
    return folder


def newcomers(folder, new):
    """A snapshot that lacks the last `new` people, and a roster without groups; leavers and bots are left out."""
    snapshot = json.loads((folder / "in-sync.json").read_text("utf-8"))
    people = [user for user in snapshot["users"] if user["id"].startswith("U0")]
    snapshot["users"], snapshot["groups"] = people[:-new], []
    (folder / "newcomers.json").write_text(json.dumps(snapshot), "utf-8")
    text = (folder / "roster.yaml").read_text("utf-8")
    (folder / "newcomers.yaml").write_text(text.split("\ngroups:\n")[0], "utf-8")
    listed = [
        {
            "email": user["email"],
            "userName": user["userName"],
            "givenName": user["name"]["givenName"],
            "familyName": user["name"]["familyName"],
        }
        for user in people
    ]
    (folder / "newcomers-slacktivate.json").write_text(json.dumps(listed), "utf-8")
    source = {"file": str(folder / "newcomers-slacktivate.json"), "type": "json", "key": "{{ email }}"}
    (folder / "slacktivate.yaml").write_text(json.dumps({"users": [source]}), "utf-8")
    return folder


def main():
    parser = argparse.ArgumentParser(description="rosterctl and its peers on the same jobs")
    parser.add_argument("--users", type=int, default=10_000, help="people in the larger company (10000)")
    people = parser.parse_args().users
    for program in (ROSTERCTL, BENCHES):
        if not program.exists():
            sys.exit(f"{program} is missing; `just bench-peers` builds it")
    WORK.mkdir(parents=True, exist_ok=True)
    sdk = environment("slack-sdk")
    slacktivate = environment("slacktivate", "constraints-slacktivate.txt")
    script = HERE / "sync_slack_sdk.py"
    v1 = lambda url: url.replace("/scim/v2", "/scim/v1")

    head = ("job", "tool", "s", "CPU s", "peak MB", "reads", "writes", "429", "left")
    print("{:<34} {:<12} {:>8} {:>7} {:>8} {:>6} {:>7} {:>5} {:>8}".format(*head))
    large = world(people)
    changed, roster = large / "changed.json", large / "roster.yaml"
    job = f"read {people} people and groups"
    run(job, "rosterctl", changed, None, lambda url: rosterctl("snapshot", "--target", url))
    if sdk:
        run(job, "slack_sdk", changed, None, lambda url: [sdk, script, roster, v1(url), "--read-only"])
    job = f"2 % of {people} people changed"
    run(job, "rosterctl", changed, roster, lambda url: rosterctl("apply", roster, "--target", url, "--yes"))
    if sdk:
        run(job, "slack_sdk", changed, roster, lambda url: [sdk, script, roster, v1(url)])
    small = newcomers(world(1_000), 100)
    snapshot, roster = small / "newcomers.json", small / "newcomers.yaml"
    job = "100 of 1000 people are new"
    run(job, "rosterctl", snapshot, roster, lambda url: rosterctl("apply", roster, "--target", url, "--yes"))
    if sdk:
        run(job, "slack_sdk", snapshot, roster, lambda url: [sdk, script, roster, v1(url)])
    if slacktivate:
        script = HERE / "sync_slacktivate.py"
        spec = small / "slacktivate.yaml"
        run(job, "slacktivate", snapshot, roster, lambda url: [slacktivate, script, spec, v1(url)])
    for folder in (large, small):
        shutil.rmtree(folder, ignore_errors=True)


main()
