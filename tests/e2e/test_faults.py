"""A kernel that crashes, hangs, hoards memory, throws or lies costs its own cells only."""

from harness import FAULTY_KERNELS, ProgramTest

FAULTS = """
name = "faults"
description = "kernels that misbehave"

[[sweep]]
model = "tiny"
shapes = ["16x24"]
schemes = ["FP32"]
backends = ["works", "crashes", "hangs", "hoards", "throws", "lies"]
regimes = [{ m = 2, cache = "hot" }]
"""


class FaultsTest(ProgramTest):
    def test_each_fault_becomes_a_failed_row_and_the_run_goes_on(self):
        self.run_suite(self.suite(FAULTS), "--kernels", FAULTY_KERNELS, "--quick", "--case-timeout", 3, status=3)
        rows = {row["backend"]: row for row in self.records()}
        reasons = {
            "crashes": "killed by signal 11",
            "hangs": "no sign of life for 3 s",
            "hoards": "out of memory while preparing",
            "throws": "the kernel threw",
            "lies": "wrong output",
        }
        for backend, reason in reasons.items():
            with self.subTest(backend):
                self.assertEqual(rows[backend]["status"], "failed")
                self.assertIn(reason, rows[backend]["reason"])
        self.assertEqual(rows["works"]["status"], "passed")
        latencies = [row for row in self.records() if row["metric"] == "latency"]
        self.assertEqual([row["backend"] for row in latencies], ["works"])
        self.assertGreater(latencies[0]["value"], 0)
