"""Tests of what needs no measurement: `python3 -m unittest discover -s scripts/bench`."""

import contextlib
import copy
import io
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

import charts
import engines
import goals
import kept
import main
import pages
import stats
import svg
import tables


def case(rate=(90, 100, 110), ratio=(2.9, 3.0, 3.1), commit="aaa", sources="s1"):
    """The case gateway with one quantity."""
    held = {
        "unit": "requests/s", "better": "more", "rounds": 8,
        "figures": {"fuelbox": list(rate), "gowasmrunner": [30, 33, 36]},
        "ratios": {"fuelbox / gowasmrunner": list(ratio)},
    }
    return {"commit": commit, "sources": sources, "date": "2026-01-01", "machine": "a machine", "rustc": "1.0",
            "engines": {"fuelbox": "0.1.0", "gowasmrunner": None}, "quantities": {"rate 16": held}}


GOAL = next(goal for goal in goals.GOALS if goal.quantity == "rate 16" and goal.own == "fuelbox")


class Stats(unittest.TestCase):
    def test_spread_is_of_all_samples_until_there_are_eight(self):
        self.assertEqual(stats.spread([1, 2, 3, 4, 5, 6, 100]), [1, 4, 100])
        self.assertEqual(stats.spread([1, 2, 3, 4, 5, 6, 7, 100]), [2.75, 4.5, 6.25])
        self.assertIsNone(stats.spread([]))

    def test_ratios_are_of_each_round(self):
        # The machine is half as fast in the second round; no ratio shows it.
        self.assertEqual(stats.ratio([10, 20, 10], [5, 10, 5]), [2, 2, 2])

    def test_moved_is_beyond_the_wider_spread(self):
        self.assertIsNone(stats.moved([1.0, 1.1, 1.2], [0.95, 1.0, 1.05]))
        self.assertAlmostEqual(stats.moved([1.2, 1.25, 1.3], [0.95, 1.0, 1.05]), 0.25)
        self.assertAlmostEqual(stats.moved([0.7, 0.75, 0.8], [0.95, 1.0, 1.05]), -0.25)
        self.assertIsNone(stats.moved([1.005] * 3, [1.0] * 3), "less than one percent")

    def test_quantity_compares_with_the_base_and_with_pairs(self):
        held = stats.quantity("ms", "less", {"a": [2], "b": [1], "c": [4]}, "b", [("a", "c"), ("a", "nobody")])
        self.assertEqual(held["ratios"], {"a / b": [2, 2, 2], "c / b": [4, 4, 4], "a / c": [0.5, 0.5, 0.5]})


class Goals(unittest.TestCase):
    def test_verdicts_in_both_directions(self):
        more = GOAL._replace(goal=3, floor=2.2)
        self.assertEqual([goals.verdict(more, value, True) for value in (3, 2.9, 2.2, 2.1)],
                         ["goal met", "floor met", "floor met", "**floor missed**"])
        less = GOAL._replace(goal=0.3, floor=None)
        self.assertEqual([goals.verdict(less, value, False) for value in (0.3, 0.31)], ["goal met", "goal missed"])

    def test_a_goal_names_a_case_that_is_measured(self):
        self.assertEqual({goal.case for goal in goals.GOALS} - set(main.CASES), set())

    def test_no_floor_is_beyond_its_goal(self):
        for goal in goals.GOALS:
            if goal.goal is not None and goal.floor is not None:
                more = goal.quantity.startswith("rate")
                self.assertTrue(goal.floor <= goal.goal if more else goal.floor >= goal.goal, goal)


class Kept(unittest.TestCase):
    def test_a_case_is_compared_with_that_of_other_sources(self):
        first, same, other = case(), case(commit="bbb"), case(ratio=(3.4, 3.6, 3.8), commit="ccc", sources="s2")
        self.assertNotIn("previous", kept.with_previous(None, first))
        self.assertNotIn("previous", kept.with_previous(first, same))
        changed = kept.with_previous(first, other)
        self.assertEqual(tables.change(GOAL, changed), "20 % faster since aaa")
        again = kept.with_previous(changed, case(commit="ddd", sources="s2"))
        self.assertEqual(again["previous"]["commit"], "aaa", "measured once more, the comparison stays")
        self.assertEqual(tables.change(GOAL, again), "unchanged since aaa")

    def test_times_are_not_compared_across_runs(self):
        held = kept.only_ratios(case())["quantities"]["rate 16"]
        self.assertEqual(list(held), ["ratios", "rounds"])

    def test_a_run_without_a_peer_of_a_goal_replaces_nothing(self):
        less = copy.deepcopy(case())
        del less["quantities"]["rate 16"]["figures"]["gowasmrunner"]
        self.assertEqual(kept.lost("gateway", case(), less), ["gowasmrunner"])
        self.assertEqual(kept.lost("gateway", None, less), [])

    def test_the_text_of_results_reads_back_with_a_line_for_each_figure(self):
        results = {"cases": {"gateway": case()}}
        text = kept.text(results)
        self.assertEqual(kept.json.loads(text), results)
        self.assertIn('"fuelbox": [90, 100, 110]', text)


class Tables(unittest.TestCase):
    def test_engines_have_one_order(self):
        names = ["/bin/true", "wasmi", "bare wasmi", "static", "1000 plug-ins", "fuelbox"]
        for order in (names, names[::-1]):
            self.assertEqual(engines.ordered(order),
                             ["fuelbox", "static", "wasmi", "/bin/true", "1000 plug-ins", "bare wasmi"])

    def test_another_build_of_the_run_is_told(self):
        held = case()
        held["quantities"]["rate 16"]["ratios"]["fuelbox / before"] = [1.04, 1.05, 1.06]
        held["engines"]["before"] = "old"
        self.assertEqual(tables.change(GOAL, held), "5.0 % faster to old in the run")

    def test_few_rounds_tell_no_change(self):
        changed = kept.with_previous(case(), case(ratio=(3.4, 3.6, 3.8), sources="s2"))
        changed["quantities"]["rate 16"]["rounds"] = 4
        self.assertEqual(tables.change(GOAL, changed), "–")

    def test_a_goal_without_figures_is_not_measured(self):
        rows = tables.goal_rows({"gateway": case()}, goals.GATEWAY)
        self.assertIn("| 3.00 (2.90–3.10) | ≥ 3 | ≥ 2.2 | goal met | – | aaa |", rows[0])
        self.assertTrue(any("not measured" in row for row in rows))

    def test_numbers(self):
        self.assertEqual([tables.number(value) for value in (12345.6, 42.25, 1.234, 0.0123, 0)],
                         ["12,346", "42.2", "1.23", "0.012", "0"])


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        self.root = Path(folder.name)
        for name in ("benches", "docs"):
            (self.root / name).mkdir()
        (self.root / pages.README).write_text(f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n")
        (self.root / kept.PATH).write_text(kept.text({"cases": {"gateway": case()}}))

    def test_what_is_written_is_what_is_checked(self):
        self.assertEqual(pages.check(self.root), 1, "nothing is written yet")
        pages.write(self.root)
        self.assertEqual(pages.check(self.root), 0)
        text = (self.root / pages.README).read_text()
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        chart = self.root / pages.CHARTS / "requests-dark.svg"
        chart.write_text(chart.read_text().replace("100", "101"))
        self.assertEqual(pages.check(self.root), 1, "a chart was edited")

    def test_a_chart_too_many_is_seen(self):
        pages.write(self.root)
        (self.root / pages.CHARTS / "old-light.svg").write_text("<svg/>")
        self.assertEqual(pages.check(self.root), 1)


class Charts(unittest.TestCase):
    def test_every_chart_is_well_formed_in_both_themes(self):
        for kind in charts.KINDS:
            for theme in svg.THEMES:
                if drawn := charts.draw(kind, kept.load()["cases"], theme):
                    ElementTree.fromstring(drawn)

    def test_goals_lie_left_of_the_line_where_they_are_met(self):
        row = charts.goal_row(GOAL, {"gateway": case(ratio=(5, 6, 7))})
        self.assertEqual((row.spread[1], row.kind), (0.5, "good"))
        row = charts.goal_row(GOAL, {"gateway": case(ratio=(1, 1.5, 2))})
        self.assertEqual((row.spread[1], row.kind), (2, "bad"))


if __name__ == "__main__":
    unittest.main()
