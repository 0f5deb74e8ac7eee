"""The results that the repository keeps: benches/results.json. Each case has its own commit, date and machine, because
a run may measure some cases only. What a case held before stays beside it, for one step, so that a change shows."""

import datetime
import json
import os
import platform
import re
import shutil
import subprocess

import engines
import goals
from engines import ROOT

PATH = "benches/results.json"
SOURCES = ("src", "Cargo.toml", "Cargo.lock")


def git(*words):
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def sources(commit="HEAD"):
    """A name of what the program is built of: equal for commits that differ in documents only, and after a rebase."""
    parts = [git("rev-parse", f"{commit}:{path}")[:8] for path in SOURCES]
    return "-".join(parts) if all(parts) else ""


def machine():
    cpu = ""
    if shutil.which("lscpu"):
        found = re.search(r"Model name: +(.*)", engines.said(["lscpu"]))
        cpu = found[1].strip() if found else ""
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {cpu or 'an unknown CPU'}, {platform.machine()}, Linux {kernel}"


def provenance():
    """Where and of what the figures of this run are."""
    dirty = git("status", "--porcelain", "--", *SOURCES)
    return {
        "commit": git("describe", "--always", "--tags") + ("-dirty" if dirty else ""),
        "sources": sources() + ("-dirty" if dirty else ""),
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "rustc": engines.said(["rustc", "--version"]).split()[1],
    }


def load(root=ROOT):
    path = root / PATH
    return json.loads(path.read_text()) if path.exists() else {"cases": {}}


def text(results):
    """JSON with a line for each figure, so that a change of one is a change of one line."""
    def joined(found):
        return "[" + " ".join(found[1].split()) + "]"

    return re.sub(r"\[\s+([^][{}]*?)\s+\]", joined, json.dumps(results, indent=1, ensure_ascii=False)) + "\n"


def only_ratios(case):
    """What may be compared with another run: ratios within a run, and what is no time."""
    held = {}
    for name, found in case["quantities"].items():
        held[name] = {"ratios": found["ratios"], "rounds": found["rounds"]}
        if found["unit"] in ("MB", "MiB", "×"):
            held[name]["figures"] = found["figures"]
    return {"commit": case["commit"], "date": case["date"], "quantities": held}


def with_previous(old, case):
    """The case, with what it is compared with: the kept figures, or what those were compared with if the program is
    built of the same sources."""
    if old is None:
        return case
    same = old["sources"] == case["sources"]
    previous = old.get("previous") if same else only_ratios(old)
    return dict(case, previous=previous) if previous else case


def lost(name, old, case):
    """The engines of goals that the kept figures have and this run has not."""
    return sorted(goals.needed(name) & engines_of(old) - engines_of(case)) if old else []


def engines_of(case):
    return {engine for found in case["quantities"].values() for engine in found["figures"]}


def stale(kept):
    """A line for each case whose program was built of other sources than those of HEAD."""
    now = sources()
    last = git("log", "-1", "--format=%h", "--", *SOURCES)
    lines = []
    for name, case in kept["cases"].items():
        if case["sources"] != now:
            lines.append(f"stale: {name}: measured at {case['commit']} ({case['date']}); src or Cargo.* changed since, "
                         f"last in {last}")
    return lines
