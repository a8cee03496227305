"""Kernels on a device are timed by its clock, and by nothing else."""

import os

from harness import ProgramTest

DEVICE_KERNELS = os.environ["DEVICE_KERNELS"]

DEVICES = """
name = "devices"
description = "kernels that pretend to run on devices"

[[sweep]]
model = "tiny"
shapes = ["16x24"]
schemes = ["FP32"]
backends = ["device", "slower_device"]
regimes = [{ m = 2, cache = "hot" }, { m = 1, cache = "cold" }]
"""

WHOLE = """
name = "whole"
description = "a whole model, on a device and not"

[[sweep]]
model = "fmnist-features"
whole = true
schemes = ["FP32"]
backends = ["device", "reference"]
regimes = [{ m = 64, cache = "hot" }]
"""


class DeviceTest(ProgramTest):
    def test_figures_are_those_of_the_devices_clock(self):
        self.run_suite(self.suite(DEVICES), "--kernels", DEVICE_KERNELS, "--quick")
        rows = self.records()
        self.assertEqual({row["status"] for row in rows}, {"passed"})
        told = {("hot", "device"): 1e-3, ("hot", "slower_device"): 3e-3,
                ("cold", "device"): 4e-3, ("cold", "slower_device"): 12e-3}
        latencies = {(row["cache"], row["backend"]): row["value"] for row in rows if row["metric"] == "latency"}
        self.assertEqual(latencies.keys(), told.keys())
        for case, seconds in told.items():
            self.assertAlmostEqual(latencies[case], seconds, places=12)

    def test_reading_is_compared_with_what_the_device_reads(self):
        self.run_suite(self.suite(DEVICES), "--kernels", DEVICE_KERNELS, "--quick")
        fractions = {(row["cache"], row["backend"]): row["value"] for row in self.records()
                     if row["metric"] == "ceiling_fraction"}
        self.assertEqual(fractions.keys(), {("cold", "device"), ("cold", "slower_device")})
        self.assertAlmostEqual(fractions["cold", "device"], 1 / 2)
        self.assertAlmostEqual(fractions["cold", "slower_device"], 1 / 6)

    def test_a_whole_model_is_not_run_there_and_says_why(self):
        self.run_suite(self.suite(WHOLE), "--kernels", DEVICE_KERNELS, "--quick", status=3)
        models = {row["backend"]: row for row in self.records() if not row["layer"]}
        self.assertEqual(models["reference"]["status"], "passed")
        self.assertEqual(models["device"]["status"], "failed")
        self.assertIn("on a device", models["device"]["reason"])
