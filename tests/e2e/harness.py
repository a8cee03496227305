"""What the end-to-end tests share: a scratch folder, the built program, and small suites."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

QASSAY = os.environ["QASSAY"]
FAULTY_KERNELS = os.environ["FAULTY_KERNELS"]

SMALL = """
name = "small"
description = "a few small layers, for tests"

[timing]
legs = 4
rounds = 10

[[sweep]]
model = "tiny"
shapes = ["48x160"]
schemes = ["FP32", "W8A8", "W4A8-g32"]
backends = ["openblas", "cpu", "reference"]
regimes = [{ m = 5, cache = "hot" }]
"""


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.store = self.folder / "store.db"

    def suite(self, text=SMALL, name="small.toml"):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def qassay(self, *arguments, status=0, environment=None, timeout=240):
        """Runs the program; fails unless it ends with `status`."""
        result = subprocess.run([QASSAY, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                                timeout=timeout, env={**os.environ, **(environment or {})})
        self.assertEqual(result.returncode, status, f"{arguments}\n{result.stdout}\n{result.stderr}")
        return result

    def run_suite(self, suite, *arguments, status=0):
        return self.qassay("run", suite, "--store", self.store, *arguments, status=status)

    def records(self, *arguments):
        return json.loads(self.qassay("export", "--store", self.store, *arguments).stdout)

    def digest(self, path):
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
