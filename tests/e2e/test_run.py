"""The whole way: run, export, verify, report, show."""

import csv
import io
import json
import pathlib
import shutil

from harness import SMALL, ProgramTest

REFERENCE_MODELS = pathlib.Path(__file__).parents[2] / "models" / "reference"

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

NETWORK = MODEL.replace('"openblas", "cpu", "reference"', '"onednn", "cpu"').replace(
    '"W8A8", "W4A8-g32", "W4A8-g128"', '"W8A8"').replace("{ m = 64", "{ m = 1, cache = \"hot\" }, { m = 64")

COLUMNS = ("run case arm model layer n k m cache threads protocol kv_cache scheme group method backend kernel "
           "implementation status reason metric value low high count unit baseline").split()


class RunTest(ProgramTest):
    def test_a_suite_from_sweep_to_page(self):
        self.run_suite(self.suite())
        records = self.records()
        self.assertEqual(list(records[0]), COLUMNS)
        metrics = {row["metric"] for row in records}
        self.assertLessEqual({"latency", "speedup", "weight_bytes", "workspace_bytes", "peak_rss_bytes", "sqnr",
                              "operations", "operation_rate", "bandwidth"}, metrics)
        latencies = {row["case"]: row["value"] for row in records if row["metric"] == "latency"}
        for row in records:
            if row["metric"] == "operations":
                self.assertEqual(row["value"], 2 * row["m"] * row["n"] * row["k"])
                rate = next(other["value"] for other in records
                            if other["case"] == row["case"] and other["metric"] == "operation_rate")
                self.assertAlmostEqual(rate * latencies[row["case"]] / row["value"], 1)
            if row["metric"] == "ceiling_fraction":  # where the machine has a probe
                self.assertEqual(row["baseline"] == "read-rate", row["cache"] == "cold")
                self.assertEqual(row["count"], 4)
            if row["metric"] == "speedup":
                self.assertLessEqual(row["low"], row["value"])
                self.assertLessEqual(row["value"], row["high"])
                self.assertEqual(row["count"], 4)

        rows = list(csv.DictReader(io.StringIO(self.qassay("export", "--store", self.store, "--format", "csv").stdout)))
        self.assertEqual(len(rows), len(records))

        verdicts = json.loads(self.qassay("verify", "--store", self.store, "--json").stdout)
        self.assertIn("speed.int8", {row["id"] for row in verdicts})
        self.assertIn("mem.int8", self.qassay("verify", "--store", self.store).stdout)
        published = self.qassay("verify", "published", "gptq-opt", "--store", self.store).stdout
        self.assertIn("u04.int8-bytes", published)
        self.assertIn("qassay run language --model opt-125m", published)

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

    def test_a_network_of_ones_own_takes_the_place_of_the_suites(self):
        shutil.copytree(REFERENCE_MODELS / "fmnist-cnn", self.folder / "mine")
        self.run_suite(self.suite(NETWORK), "--quick", "--model", "mine")
        records = self.records()
        self.assertEqual({row["model"] for row in records}, {"fmnist-cnn"})
        self.assertFalse({row["status"] for row in records} - {"passed", "skipped"})
        by_metric = {row["metric"]: row for row in records}
        self.assertLessEqual({"throughput", "accumulated_relative_error", "mcnemar_p", "floor_flips"}, set(by_metric))
        self.assertEqual({row["m"] for row in records if row["metric"] == "throughput"}, {1, 64})
        for row in records:
            if row["metric"] == "top1":
                self.assertGreater(row["value"], 0.92, row["case"])

        config = self.folder / "mine" / "config.json"
        config.write_text(config.read_text().replace('"kernel": 3', '"kernel": 5', 1))
        before = self.digest(self.store)
        refused = self.run_suite(self.suite(NETWORK), "--quick", "--model", "mine", status=2)
        self.assertIn("stem.weight", refused.stderr)
        self.assertEqual(len(refused.stderr.strip().splitlines()), 1, refused.stderr)
        self.assertEqual(self.digest(self.store), before)
        self.assertIn("neither", self.run_suite(self.suite(NETWORK), "--model", "nowhere", status=2).stderr)

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
