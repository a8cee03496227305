"""The whole way: run, export, verify, report, show."""

import csv
import io
import json

from harness import SMALL, ProgramTest

MODEL = """
name = "model"
description = "the image model in exact schemes"

[[sweep]]
model = "fmnist-features"
evaluate = true
schemes = ["FP32", "W8A8", "W4A8-g32", "W4A8-g128"]
backends = ["openblas", "cpu", "reference"]
regimes = [{ m = 64, cache = "hot" }]
"""

COLUMNS = ("run case arm model layer n k m cache threads scheme group method backend kernel implementation status "
           "reason metric value low high count unit baseline").split()


class RunTest(ProgramTest):
    def test_a_suite_from_sweep_to_page(self):
        self.run_suite(self.suite())
        records = self.records()
        self.assertEqual(list(records[0]), COLUMNS)
        metrics = {row["metric"] for row in records}
        self.assertLessEqual({"latency", "speedup", "weight_bytes", "workspace_bytes", "peak_rss_bytes", "sqnr"}, metrics)
        for row in records:
            if row["metric"] == "speedup":
                self.assertLessEqual(row["low"], row["value"])
                self.assertLessEqual(row["value"], row["high"])
                self.assertEqual(row["count"], 4)

        rows = list(csv.DictReader(io.StringIO(self.qassay("export", "--store", self.store, "--format", "csv").stdout)))
        self.assertEqual(len(rows), len(records))

        verdicts = json.loads(self.qassay("verify", "--store", self.store, "--json").stdout)
        self.assertIn("speed.int8", {row["id"] for row in verdicts})
        self.assertIn("mem.int8", self.qassay("verify", "--store", self.store).stdout)

        page = self.folder / "page.html"
        self.qassay("report", "--store", self.store, "--output", page)
        self.assertIn("tiny", page.read_text())

        case = next(row["case"] for row in records if row["metric"] == "latency")
        self.assertIn("qassay run", self.qassay("show", case, "--store", self.store).stdout)

    def test_a_second_arm_is_compared_with_the_first(self):
        self.run_suite(self.suite(), "--both-arms", "--quick")
        ratios = [row for row in self.records() if row["baseline"] == "arm-a"]
        self.assertTrue(ratios)
        self.assertEqual({row["arm"] for row in ratios}, {"b"})

    def test_a_quick_run_decides_nothing(self):
        self.run_suite(self.suite(), "--quick")
        verdicts = json.loads(self.qassay("verify", "--store", self.store, "--json").stdout)
        measured = [row for row in verdicts if row["kind"] == "measured"]
        self.assertTrue(measured)
        self.assertFalse({row["verdict"] for row in measured} & {"confirmed", "refuted", "better_than_claimed"})

    def test_list_and_dry_run_measure_nothing(self):
        listed = self.run_suite(self.suite(), "--list").stdout
        self.assertIn("tiny/48x160:m5:hot", listed)
        self.assertIn("groups", self.run_suite(self.suite(), "--dry-run").stdout)
        self.assertFalse(self.store.exists())

    def test_accuracies_repeat_and_equal_the_references(self):
        accuracies = []
        for _ in range(2):
            self.run_suite(self.suite(MODEL), "--quick")
            accuracies.append({(row["scheme"], row["backend"], row["metric"]): row["value"] for row in self.records()
                               if row["metric"] in ("top1", "loss", "loss_points", "agreement")})
            self.assertEqual({row["status"] for row in self.records() if row["metric"] == "top1"}, {"passed"})
        self.assertTrue(accuracies[0])
        self.assertEqual(accuracies[0], accuracies[1])
        for (scheme, backend, metric), value in accuracies[0].items():
            if backend == "cpu" and scheme.startswith("W"):  # integer kernels promise equal bits
                self.assertEqual(value, accuracies[0][scheme, "reference", metric], (scheme, metric))
