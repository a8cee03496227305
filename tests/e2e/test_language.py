"""A language model: from windows of text to figures."""

import math
import pathlib
import unittest

from harness import ProgramTest

LANGUAGE = """
name = "text"
description = "the language model in a few schemes"

[[sweep]]
model = "gcide-lm"
evaluate = true
samples = 4
schemes = ["FP32", "W8A8", "W4A8-g32"]
backends = ["onednn", "cpu"]
regimes = [{ m = 64, cache = "hot" }, { m = 1, cache = "hot" }]
round_seconds = 0.002
"""


class LanguageTest(ProgramTest):
    @unittest.skipUnless(pathlib.Path("/usr/share/dictd/gcide.dict.dz").exists(), "package dict-gcide is not there")
    def test_scores_a_language_model(self):
        self.run_suite(self.suite(LANGUAGE))
        whole = [row for row in self.records() if row["layer"] == "" and row["status"] == "passed"]
        figures = {(row["scheme"], row["backend"], row["m"], row["metric"], row["baseline"]): row for row in whole}

        def value(scheme, backend, metric, baseline="fp32", m=64):
            return figures[scheme, backend, m, metric, baseline]["value"]

        for scheme, backend in (("FP32", "onednn"), ("W8A8", "onednn"), ("W8A8", "cpu"), ("W4A8-g32", "cpu")):
            perplexity = value(scheme, backend, "perplexity", "")
            self.assertAlmostEqual(math.log2(perplexity), value(scheme, backend, "bits_per_byte", ""), places=9)
            self.assertLess(perplexity, 8)  # of 256 bytes
            self.assertGreater(value(scheme, backend, "next_token_accuracy", ""), 0.4)
            for m in (64, 1):  # prefill, decode
                throughput = figures[scheme, backend, m, "throughput", ""]
                self.assertEqual(throughput["unit"], "tokens/s")
                self.assertAlmostEqual(throughput["value"] * value(scheme, backend, "latency", "", m) / m, 1, places=6)
        # The baseline's own divergence is the floor; fewer bits diverge more.
        self.assertLess(value("FP32", "onednn", "kl_mean"), 1e-8)
        self.assertEqual(value("FP32", "onednn", "top1_agreement"), 1)
        self.assertLess(1e-7, value("W8A8", "cpu", "kl_mean"))
        self.assertLess(3 * value("W8A8", "cpu", "kl_mean"), value("W4A8-g32", "cpu", "kl_mean"))
        self.assertLess(value("W4A8-g32", "cpu", "kl_mean"), value("W4A8-g32", "cpu", "kl_p999"))
        # The same codes and exact sums on both backends.
        self.assertAlmostEqual(value("W8A8", "cpu", "kl_mean") / value("W8A8", "onednn", "kl_mean"), 1, delta=0.02)
        self.assertEqual(figures["W8A8", "cpu", 64, "kl_mean", "fp32"]["count"], 4)  # windows

    def test_says_what_is_missing(self):
        result = self.qassay("run", self.suite(LANGUAGE), "--list", environment={"QASSAY_DATA_DIR": "/nowhere"})
        self.assertIn("unsupported: /nowhere/gcide/gcide.dict.dz is not there (package dict-gcide)", result.stdout)
