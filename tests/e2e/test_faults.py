"""A kernel that crashes, hangs, hoards memory, throws or lies costs its own cells only."""

import sqlite3

from harness import FAULTY_KERNELS, ProgramTest

FAULTS = """
name = "faults"
description = "kernels that misbehave"

[[sweep]]
model = "tiny"
shapes = ["16x24"]
schemes = ["FP32"]
backends = ["works", "apart", "crashes", "hangs", "hoards", "throws", "lies", "crashes-apart"]
regimes = [{ m = 2, cache = "hot" }]
"""


class FaultsTest(ProgramTest):
    def test_each_fault_becomes_a_failed_row_and_the_run_goes_on(self):
        self.run_suite(self.suite(FAULTS), "--kernels", FAULTY_KERNELS, "--quick", "--case-timeout", 3, status=4)
        rows = {row["backend"]: row for row in self.records()}
        reasons = {
            "crashes": "killed by signal 11",
            "hangs": "no sign of life for 3 s",
            "hoards": "out of memory while preparing",
            "throws": "the kernel threw",
            "lies": "wrong output",
            "crashes-apart": "killed by signal 11",
        }
        for backend, reason in reasons.items():
            with self.subTest(backend):
                self.assertEqual(rows[backend]["status"], "failed")
                self.assertIn(reason, rows[backend]["reason"])
        latencies = [row for row in self.records() if row["metric"] == "latency"]
        self.assertEqual({row["backend"] for row in latencies}, {"works", "apart"})
        for row in latencies:
            self.assertGreater(row["value"], 0)

    def test_a_run_that_compares_nothing_says_so(self):
        alone = FAULTS.replace(', "apart", "crashes", "hangs", "hoards", "throws", "lies", "crashes-apart"', "")
        self.run_suite(self.suite(alone), "--kernels", FAULTY_KERNELS, "--quick", status=3)

    def test_workers_of_one_leg_take_turns_in_every_round(self):
        two = FAULTS.replace(', "crashes", "hangs", "hoards", "throws", "lies", "crashes-apart"', "")
        self.run_suite(self.suite(two), "--kernels", FAULTY_KERNELS, "--quick")
        with sqlite3.connect(self.store) as store:
            places = store.execute(
                "SELECT leg, round, group_concat(position) FROM rounds"
                " JOIN leg_cases ON leg_case = leg_cases.id GROUP BY leg, round"
            ).fetchall()
        self.assertEqual({"".join(sorted(positions)) for _, _, positions in places}, {",01"})
        self.assertEqual(len({positions for _, _, positions in places}), 2, "who is first is drawn")
        [speedup] = [row for row in self.records() if row["baseline"] == "best-fp32"]
        self.assertGreater(speedup["value"], 0)
