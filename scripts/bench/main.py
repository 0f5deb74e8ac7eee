"""What scripts/bench.sh runs: reads the command line, measures the cases, says what they are and what moved."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

import engines
import gateway
import goals
import kept
import load
import others
import pages
import processes
import tables
from engines import OUT, ROOT

CASES = {
    **{name: lambda options, name=name: processes.run(name, options) for name in processes.CASES},
    **load.CASES, **gateway.CASES, **others.CASES,
}


@dataclass
class Options:
    rounds: int = 40
    quick: bool = False
    full: bool = False
    write: bool = False
    names: list = field(default_factory=list)

    @property
    def few(self):
        """Rounds of what takes seconds."""
        return 3 if self.quick else max(3, self.rounds // 5)

    @property
    def seconds(self):
        """Of requests, in each round."""
        return 1 if self.quick else 3


def usage(problem):
    print(f"bench.sh: {problem}; see --help", file=sys.stderr)
    sys.exit(2)


def parse(args):
    options, args = Options(), list(args)
    while args:
        arg = args.pop(0)
        if arg == "--rounds":
            text = args.pop(0) if args else usage("--rounds needs a value")
            if not text.isdigit() or int(text) == 0:
                usage(f"--rounds is a number from 1, not '{text}'")
            options.rounds = int(text)
        elif arg == "--quick":
            options.rounds, options.quick = 5, True
        elif arg == "--full":
            options.full = True
        elif arg == "--write":
            options.write = True
        elif arg == "--list":
            print("cases:", *CASES, "\nbuilds:", *engines.builds(), "\npeers:", *engines.peers())
            print("missing:", "; ".join(engines.missing()))
            sys.exit(0)
        elif arg in ("--check", "--render"):
            sys.exit(check() if arg == "--check" else pages.write(ROOT))
        elif arg in CASES:
            options.names.append(arg)
        else:
            usage(f"no case or option is called '{arg}'")
    options.names = options.names or list(CASES)
    return options


def check():
    """Says which pages differ from the results, and which results are of older sources. Only the first is a fault."""
    print("\n".join(kept.stale(kept.load())) or "every figure is of the sources of HEAD")
    return pages.check(ROOT)


def warn_of_old_builds():
    changed = kept.git("log", "-1", "--format=%ct", "--", *kept.SOURCES)
    for name, program in engines.builds().items():
        if name != "before" and changed and os.stat(program).st_mtime < int(changed):
            print(f"warning: {name} is older than the last change of src: {program}")


def measure(name, options, told):
    """A case with its provenance, or None if it could not be measured."""
    quantities = CASES[name](options)
    if not quantities:
        return None
    case = dict(told, quantities=quantities)
    there = [engine for engine in engines.ordered(kept.engines_of(case))
             if engine in engines.BUILDS or engine in engines.PEERS]
    case["engines"] = {engine: engines.version(engine) for engine in there}
    if "before" in there and (commit := os.environ.get("FUELBOX_BEFORE_COMMIT")):
        case["engines"]["before"] = commit
    print("\n".join(tables.of_case(name, case)), end="\n\n", flush=True)
    return case


def keep(name, case, results):
    """Puts a case into the results and into the file, so that a later case that fails takes nothing away."""
    held = results["cases"]
    if lost := kept.lost(name, held.get(name), case):
        print(f"{name}: the kept figures stay, because this run has no {', '.join(lost)}")
        return
    held[name] = case
    # In the order of the cases, whichever was measured last.
    results["cases"] = {name: held[name] for name in CASES if name in held}
    (ROOT / kept.PATH).write_text(kept.text(results))


def main():
    options = parse(sys.argv[1:])
    for line in engines.missing():
        print(f"missing: {line}")
    warn_of_old_builds()
    if not shutil.which("wrk"):
        for name in gateway.NEED_WRK:
            if name in options.names:
                print(f"{name}: skipped, wrk is not on the PATH")
                options.names.remove(name)
    results, told, measured, failed = kept.load(), kept.provenance(), {}, []
    for name in options.names:
        try:
            case = measure(name, options, told)
        except (SystemExit, subprocess.CalledProcessError) as problem:
            print(f"{name}: not measured: {problem}", flush=True)
            failed.append(name)
            continue
        if case:
            measured[name] = kept.with_previous(results["cases"].get(name), case)
            if options.write:
                keep(name, measured[name], results)
    print("\n".join(tables.goal_tables(measured, options.names)))
    (OUT / "last.json").write_text(json.dumps(measured, indent=1))
    if options.write:
        pages.write(ROOT)
    print("\n".join(kept.stale(kept.load())))
    sys.exit(f"bench.sh: not measured: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
