"""Samples to figures: median and spread, ratios round by round, and whether a figure moved. Knows no engine and no file.

A spread is three numbers: low, median, high. From 8 rounds on, low and high are the quartiles; of fewer rounds they
are the lowest and the highest sample, because quartiles of a handful say little.
"""

import statistics

QUARTILES_FROM = 8
# Fewer rounds say nothing about a change: of 3, one comparison in twelve would say that the same program moved.
ROUNDS_TO_COMPARE = 5
# What differs less is not called a change, whatever the spread.
LEAST_CHANGE = 0.01


def add(samples, figure, engine, value):
    """Adds a sample of an engine's figure to samples by figure and engine."""
    samples.setdefault(figure, {}).setdefault(engine, []).append(value)


def spread(samples):
    """[low, median, high] of samples; None without any."""
    if not samples:
        return None
    median = statistics.median(samples)
    if len(samples) < QUARTILES_FROM:
        return [min(samples), median, max(samples)]
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return [low, median, high]


def ratio(own, other):
    """The spread of the ratios of each round: sample by sample, so that what slows a whole round does not count."""
    pairs = [(a, b) for a, b in zip(own, other) if b]
    return spread([a / b for a, b in pairs])


def moved(new, old):
    """The change of the median, as a share of the old one: 0.05 is 5 % more. None if it is within the spread.

    The medians must differ by more than the wider of the two spreads, and by one percent. With the same program on
    both sides and normal noise, one comparison in forty says that it moved after 10 rounds, and none after 40.
    """
    difference = new[1] - old[1]
    width = max(new[2] - new[0], old[2] - old[0])
    if old[1] == 0 or abs(difference) <= width or abs(difference / old[1]) < LEAST_CHANGE:
        return None
    return difference / old[1]


def moved_in_run(pair):
    """The same for the spread of ratios to another build of the same run: the old figure is 1, without a spread."""
    return moved(pair, [1.0, 1.0, 1.0])


def quantity(unit, better, samples, base=None, pairs=()):
    """What is kept of a quantity: the spread of each engine's samples, and of the ratios that are asked for.

    `samples` holds a list for each engine, in the order of the rounds. With `base`, every engine is compared with it;
    `pairs` are more of (own, other).
    """
    wanted = [(name, base) for name in samples if name != base] if base in samples else []
    wanted += [pair for pair in pairs if pair not in wanted and all(name in samples for name in pair)]
    return {
        "unit": unit,
        "better": better,
        "rounds": max((len(values) for values in samples.values()), default=0),
        "figures": {name: rounded(spread(values)) for name, values in samples.items() if values},
        "ratios": {f"{own} / {other}": rounded(ratio(samples[own], samples[other])) for own, other in wanted},
    }


def rounded(values):
    """Five significant digits: more are noise, and lines in a file that changes."""
    return values and [float(f"{value:.5g}") for value in values]
