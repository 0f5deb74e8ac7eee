"""What scripts/bench.sh runs: reads the command line, measures the cases, prints and writes the results."""

import json
import shutil
import sys

import chart
import engines
import gateway
import processes
from engines import OUT

CASES = [*processes.CASES, *gateway.CASES]


def usage(problem):
    print(f"bench.sh: {problem}; see --help", file=sys.stderr)
    sys.exit(2)


def parse(args):
    rounds, full, drawn, names = 40, False, None, []
    args = list(args)
    while args:
        arg = args.pop(0)
        if arg in ("--rounds", "--chart") and not args:
            usage(f"{arg} needs a value")
        if arg == "--rounds":
            text = args.pop(0)
            if not text.isdigit() or int(text) == 0:
                usage(f"--rounds is a number from 1, not '{text}'")
            rounds = int(text)
        elif arg == "--chart":
            drawn = args.pop(0)
        elif arg == "--quick":
            rounds = 5
        elif arg == "--full":
            full = True
        elif arg == "--list":
            there, missing = engines.find()
            print("cases:", *CASES, "\nengines: fuelbox", *there, "\nmissing:", ", ".join(missing))
            sys.exit(0)
        elif arg in CASES:
            names.append(arg)
        else:
            usage(f"no case or option is called '{arg}'")
    return rounds, full, drawn, names or CASES


def verdict(met):
    return {True: "met", False: "missed", None: "–"}[met]


def process_table(case, result):
    """A case's lines of Markdown: the engines, then the goals."""
    own = result["figures"]["fuelbox"]
    lines = [f"| {case} | wall, ms | CPU, ms | peak, MiB | wall / fuelbox |", "| --- | ---: | ---: | ---: | ---: |"]
    for engine, figures in result["figures"].items():
        cpu = f"{figures['cpu'] / 1000:.2f}" if "cpu" in figures else ""
        peak = f"{figures['peak'] / 1024:.1f}" if "peak" in figures else ""
        ratio = figures["wall"] / own["wall"]
        lines.append(f"| {engine} | {figures['wall'] / 1000:.2f} | {cpu} | {peak} | {ratio:.2f} |")
    lines.append("")
    for goal in result["goals"]:
        reached = "not measured" if goal["reached"] is None else f"{goal['reached']:.2f}"
        lines.append(f"- {goal['goal']}: {reached}, {verdict(goal['met'])}")
    return lines


def gateway_table(case, rows):
    lines = [f"| {case} | | goal | |", "| --- | ---: | ---: | --- |"]
    for row in rows:
        most = "" if row["most"] is None else f"≤ {row['most']:,} {row['unit']}"
        value = f"{row['value']:,.0f}" if row["value"] >= 1000 else f"{row['value']:.2f}"
        lines.append(f"| {row['what']} | {value} {row['unit']} | {most} | {verdict(row['met'])} |")
    return lines


def main():
    rounds, full, drawn, names = parse(sys.argv[1:])
    peers, missing = engines.find()
    for name in missing:
        print(f"missing: {name}")
    if not shutil.which("wrk"):
        for name in gateway.NEED_WRK:
            if name in names:
                print(f"{name}: skipped, wrk is not on the PATH")
        names = [name for name in names if name not in gateway.NEED_WRK]

    results, text = {}, []
    for name in names:
        if name in processes.CASES:
            result = processes.run(name, peers, rounds)
            if result is None:
                continue
            lines = process_table(name, result)
        else:
            result = gateway.CASES[name](rounds, full)
            lines = gateway_table(name, result)
        results[name] = result
        text += lines + [""]
        print("\n".join(lines), end="\n\n", flush=True)
    (OUT / "results.json").write_text(json.dumps({"rounds": rounds, "missing": missing, "cases": results}, indent=1))
    (OUT / "results.md").write_text("\n".join(text))
    if drawn:
        with open(drawn, "w") as file:
            file.write(chart.draw(results))


if __name__ == "__main__":
    main()
