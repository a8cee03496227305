"""Bad input: one clear line, exit status 2, and the store as it was."""

import os
import pathlib
import sqlite3

from harness import SMALL, ProgramTest

REGIME = 'regimes = [{ m = 5, cache = "hot" }]'

BAD_SUITES = {
    "an unknown key": (SMALL + "\ncolour = 1\n", "colour"),
    "a wrong type": (SMALL.replace("legs = 4", 'legs = "4"'), "legs"),
    "an odd number of legs": (SMALL.replace("legs = 4", "legs = 5"), "legs"),
    "an empty axis": (SMALL.replace('["FP32", "W8A8", "W4A8-g32"]', "[]"), "schemes"),
    "a duplicate": (SMALL.replace('"W8A8", ', '"W8A8", "W8A8", '), "twice"),
    "an unknown scheme": (SMALL.replace("W8A8", "W9A8"), "W9A8"),
    "an unknown backend": (SMALL.replace('"cpu"', '"gpu"'), "gpu"),
    "a shape that is none": (SMALL.replace("48x160", "48*160"), "48*160"),
    "an absurd shape": (SMALL.replace("48x160", "99999999999999999999x1"), "shape"),
    "no regime": (SMALL.replace(REGIME, "regimes = []"), "regimes"),
    "a regime without rows": (SMALL.replace("m = 5", "m = 0"), "m"),
    "a model that is not known": (SMALL.replace('shapes = ["48x160"]', "").replace("tiny", "no-such"), "no-such"),
    "syntax that is not TOML": (SMALL + "\n[[[", "TOML"),
}


class BadInputTest(ProgramTest):
    def refused(self, *arguments, mentions, environment=None):
        result = self.qassay(*arguments, status=2, environment=environment)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
        self.assertIn(mentions, result.stderr)

    def test_suites(self):
        for name, (text, mentions) in BAD_SUITES.items():
            with self.subTest(name):
                self.refused("run", self.suite(text), "--store", self.store, mentions=mentions)
                self.assertFalse(self.store.exists())

    def test_options(self):
        suite = self.suite()
        cases = [
            (["--scheme", "W9A8"], "W9A8"),
            (["--backend", "gpu"], "gpu"),
            (["--isa", "avx9000"], "avx9000"),
            (["--layer", "no/such*"], "--layer"),
            (["--threads", "4096"], "4096"),
            (["--threads", "-1"], "-1"),
            (["--case-timeout", "0"], "--case-timeout"),
            (["--kernels", "no-such.so"], "no-such.so"),
            (["--colour"], "colour"),
        ]
        for options, mentions in cases:
            with self.subTest(options):
                self.refused("run", suite, "--store", self.store, *options, mentions=mentions)
                self.assertFalse(self.store.exists())
        self.refused("run", "no-such-suite", mentions="no-such-suite")
        self.refused("no-such-command", mentions="no-such-command")

    def test_stores(self):
        suite = self.suite()
        not_database = self.folder / "text.db"
        not_database.write_text("this is no database, and long enough to look at" * 40)
        other = self.folder / "other.db"
        with sqlite3.connect(other) as database:
            database.execute("CREATE TABLE t (x)")
        newer = self.folder / "newer.db"
        self.qassay("run", suite, "--store", newer, "--quick")
        with sqlite3.connect(newer) as database:
            database.execute("PRAGMA user_version = 999")
        for path in (not_database, other, newer, self.folder):
            with self.subTest(path.name):
                before = self.digest(path) if path.is_file() else None
                self.refused("run", suite, "--store", path, "--quick", mentions=str(path))
                self.refused("verify", "--store", path, mentions=str(path))
                if before:
                    self.assertEqual(self.digest(path), before)
        self.refused("report", "--store", self.folder / "absent.db", mentions="absent.db")

    def test_claims(self):
        self.qassay("run", self.suite(), "--store", self.store, "--quick")
        self.refused("verify", "sead", "--store", self.store, mentions="name one of seed, published")
        claims = self.folder / "claims.toml"
        claims.write_text("[[claim]]\nid = 'a'\n")
        self.refused("verify", claims, "--store", self.store, mentions="claim 'a'")

    def test_a_changed_data_file(self):
        data = self.folder / "fashion-mnist"
        data.mkdir()
        source = "/usr/share/datasets/fashion-mnist"
        for name in os.listdir(source):
            content = bytearray(pathlib.Path(source, name).read_bytes())
            if name.startswith("t10k-images"):
                content[len(content) // 2] ^= 1
            (data / name).write_bytes(content)
        suite = self.suite(SMALL.replace('shapes = ["48x160"]', "evaluate = true").replace("tiny", "fmnist-features"))
        self.refused("run", suite, "--store", self.store, "--quick", mentions="t10k-images",
                     environment={"QASSAY_DATA_DIR": str(self.folder)})
        self.assertFalse(self.store.exists())

    def test_resume_under_other_conditions(self):
        suite = self.suite()
        self.run_suite(suite, "--quick")
        self.refused("run", suite, "--store", self.store, "--quick", "--resume", "--threads", "1", mentions="threads")
        self.refused("run", suite, "--store", self.store, "--resume", mentions="timing")
        changed = self.suite(SMALL.replace("48x160", "48x161"), "changed.toml")
        self.refused("run", changed, "--store", self.store, "--quick", "--resume", mentions="suite")
        self.refused("run", suite, "--store", self.folder / "new.db", "--quick", "--resume", mentions="no run")
