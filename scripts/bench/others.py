"""What other programs measure or nothing has to run for: isolated calls, the soak, sizes."""

import lzma
import os
import re
import subprocess
from pathlib import Path

import engines
from engines import ROOT
from stats import add, quantity


def isolated(options):
    """A call with a fresh instance inside a process, beside bare wasmi: benches/isolated.rs."""
    rounds = 8 if options.quick else 40
    words = ["cargo", "bench", "--quiet", "--locked", "--bench", "isolated", "--", str(rounds)]
    done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    samples = {}
    for line in done.stdout.splitlines():
        engine, pages, ns = line.split("\t")
        add(samples, f"{pages} pages", engine, float(ns) / 1000)
    return {name: quantity("µs", "less", values, "bare wasmi") for name, values in samples.items()}


def soak(options):
    """Memory of the static build around the mixed load of scripts/soak.sh: how much more it has after it than before it,
    and than after a tenth of it, which is what the script bounds."""
    program = engines.build("static")
    if program is None:
        print("soak: skipped: there is no static build")
        return None
    minutes = "0.1" if options.quick else "5" if options.full else "1"
    samples = {}
    for _ in range(1 if options.quick else 3):
        for engine, place in (("static", "thread"), ("static processes", "process")):
            before, tenth, after = soaked(program, place, minutes)
            grown = (("growth", after - before), ("growth after a tenth", after - tenth), ("after", after))
            for name, value in grown:
                add(samples, name, engine, value)
    note = f"{minutes} min of load"
    return {name: dict(quantity("MiB", "less", values), note=note) for name, values in samples.items()}


def soaked(program, place, minutes):
    """MiB before the load, after a tenth of it and after it. A load that leaves too much fails the script, and is
    measured all the same."""
    env = dict(os.environ, FUELBOX_TEST_PROGRAM=program, FUELBOX_TEST_ISOLATION=place)
    words = [ROOT / "scripts" / "soak.sh", minutes]
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = re.search(r"^soak \| .*before (.*)", done.stdout, re.M)
    figures = re.findall(r"rss_kb: (\d+)", seen[1]) if seen else []
    if done.returncode != 0:
        why = re.search(r"panicked at.*\n(.*)", done.stdout)
        print(f"soak: scripts/soak.sh failed in isolation {place}: {why[1] if why else done.stdout[-300:]}")
    if len(figures) != 3:
        raise SystemExit("bench.sh: scripts/soak.sh did not tell the memory")
    return [int(text) / 1024 for text in figures]


def size(_):
    """Sizes of the programs' files."""
    there = engines.builds()
    samples = {name: [Path(program).stat().st_size / 1e6] for name, program in there.items()}
    if "static" in there:
        packed = lzma.compress(Path(there["static"]).read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        samples["static.xz"] = [len(packed) / 1e6]
    return {"file": quantity("MB", "less", samples, pairs=[("fuelbox", "before")])}


CASES = {"isolated": isolated, "soak": soak, "size": size}
