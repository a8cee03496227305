"""Methods that calibrate: from samples to figures, in one leg that times nothing."""

import unittest

from harness import ProgramTest

METHODS = """
name = "few-methods"
description = "two models, a few methods"

[[sweep]]
model = "gcide-lm-outliers"
evaluate = true
timed = false
samples = 8
schemes = ["FP32", "W8A8", "W4A16-g32"]
methods = ["rtn", "mse", "gptq@8", "awq@8", "smoothquant@8"]
backends = ["cpu"]
regimes = [{ m = 64, cache = "hot" }]

[[sweep]]
model = "fmnist-cnn"
evaluate = true
timed = false
samples = 200
schemes = ["FP32", "W8A8"]
methods = ["rtn", "rtn+percentile-99@64", "gptq@16"]
backends = ["cpu"]
regimes = [{ m = 16, cache = "hot" }]
"""


class MethodsTest(ProgramTest):
    def figures(self, metric):
        return {(row["scheme"], row["method"]): row["value"] for row in self.records()
                if row["metric"] == metric and not row["layer"] and row["model"] == "gcide-lm-outliers"}

    def test_methods_are_scored_and_their_cost_is_told(self):
        run = ["run", self.suite(METHODS), "--store", self.store]
        kept = {"QASSAY_CACHE_DIR": str(self.folder / "cache")}
        self.qassay(*run, environment=kept)
        records = self.records()
        self.assertEqual({row["status"] for row in records}, {"passed"})
        self.assertFalse([row for row in records if row["metric"] in ("latency", "speedup")])
        self.assertEqual({row["count"] for row in records if row["metric"] == "weight_bytes"}, {1})

        loss = self.figures("kl_mean")
        for method in ("gptq@8", "awq@8", "smoothquant@8"):
            self.assertLess(loss["W4A16-g32", method], loss["W4A16-g32", "rtn"])
        self.assertLess(loss["W8A8", "smoothquant@8"], 0.3 * loss["W8A8", "rtn"])
        cost = self.figures("quantize_seconds")
        self.assertEqual(set(cost), {(scheme, method) for scheme, method in loss if scheme != "FP32"})
        self.assertTrue(all(seconds > 0 for seconds in cost.values()))
        self.assertTrue(all(size > 1e6 for size in self.figures("quantize_peak_bytes").values()))
        errors = {(row["layer"], row["method"]): row["value"] for row in records
                  if row["metric"] == "weight_relative_error" and row["scheme"] == "W4A16-g32"}
        layers = {layer for layer, _ in errors}
        self.assertEqual(len(layers), 29)
        for layer in layers:  # clipping is by these errors, and GPTQ gives some of them up
            self.assertLess(0, errors[layer, "mse"])
            self.assertLessEqual(errors[layer, "mse"], errors[layer, "rtn"])
            self.assertGreater(errors[layer, "gptq@8"], errors[layer, "rtn"])
        errors = {(row["layer"], row["method"]): row["value"] for row in records
                  if row["metric"] == "h_weighted_error" and row["scheme"] == "W4A16-g32"}
        for layer in layers:  # what GPTQ gives them up for; of the first layers, whose inputs are FP32's
            self.assertLess(0, errors[layer, "gptq@8"])
            if ".0." in layer and "down" not in layer:
                self.assertLess(errors[layer, "gptq@8"], errors[layer, "rtn"])
        errors = {(row["layer"], row["method"]): row["value"] for row in records if row["metric"] == "sqnr" and
                  row["model"] == "fmnist-cnn" and row["scheme"] == "W8A8"}
        moved = [layer for layer, method in errors
                 if method == "rtn" and errors[layer, method] != errors[layer, "rtn+percentile-99@64"]]
        self.assertGreater(len(moved), 5)  # all but those whose inputs end as they began

        # Again: what was kept gives the same figures, to the bit, and the cost of when it was made.
        self.qassay(*run, environment=kept)
        self.assertEqual(self.figures("kl_mean"), loss)
        again = self.figures("quantize_seconds")
        for method in ("gptq@8", "awq@8", "smoothquant@8"):
            self.assertEqual(again["W4A16-g32", method], cost["W4A16-g32", method])

    def test_methods_that_calibrate_need_data(self):
        suite = self.suite(METHODS.replace('model = "fmnist-cnn"\nevaluate = true\ntimed = false\nsamples = 200',
                                           'model = "m"\nshapes = ["16x32"]'), "shapes.toml")
        refused = self.qassay("run", suite, "--store", "refused.db", status=2)
        self.assertIn("'gptq@16' needs calibration data, and shapes have none", refused.stderr)
        self.assertFalse((self.folder / "refused.db").exists())


if __name__ == "__main__":
    unittest.main()
