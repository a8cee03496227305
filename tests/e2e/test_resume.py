"""Nothing that was measured is lost, whatever is killed."""

import os
import random
import signal
import sqlite3
import subprocess
import time

from harness import QASSAY, ProgramTest


class ResumeTest(ProgramTest):
    def start(self, suite, *arguments):
        return subprocess.Popen([QASSAY, "run", suite, "--store", str(self.store), "--quick", *arguments],
                                cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def workers(parent):
        try:
            with open(f"/proc/{parent}/task/{parent}/children") as children:
                return [int(pid) for pid in children.read().split()]
        except FileNotFoundError:
            return []

    def check_store(self):
        with sqlite3.connect(self.store) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            twice = database.execute("SELECT run, group_name, leg, count(*) FROM legs GROUP BY 1, 2, 3 HAVING count(*) > 1")
            self.assertEqual(twice.fetchall(), [])
            runs = database.execute("SELECT count(*) FROM runs").fetchone()[0]
            legs = database.execute("SELECT count(*) FROM legs").fetchone()[0]
        return runs, legs

    def test_kills_at_random_moments(self):
        seed = 20
        chance = random.Random(seed)
        suite = self.suite()
        begun = False
        for kill in range(20):
            process = self.start(suite, *(["--resume"] if begun else []))
            time.sleep(chance.uniform(0.02, 0.8))
            victims = self.workers(process.pid) if kill % 2 else [process.pid]
            for victim in victims:
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if kill % 2:
                process.terminate()
            process.wait()
            if self.store.exists():
                runs, _ = self.check_store()
                self.assertLessEqual(runs, 1, f"seed {seed}, kill {kill}")
                begun = runs == 1
        self.run_suite(suite, "--quick", *(["--resume"] if begun else []))
        self.assertEqual(self.check_store(), (1, 2))
        self.assertEqual({row["status"] for row in self.records()} - {"skipped", "unsupported"}, {"passed"})

    def test_an_interrupt_ends_after_the_leg_in_hand(self):
        suite = self.suite()
        process = subprocess.Popen([QASSAY, "run", suite, "--store", str(self.store)], cwd=self.folder,
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:  # the first leg has begun
            if line.startswith("[1/"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        self.assertEqual(process.wait(), 130, rest)
        self.assertIn("--resume", rest)
        self.assertEqual(self.check_store(), (1, 1))
        self.run_suite(suite, "--resume")
        self.assertEqual(self.check_store(), (1, 4))
        self.assertTrue([row for row in self.records() if row["metric"] == "speedup"])

    def test_two_runs_write_one_store(self):
        suite = self.suite()
        processes = [self.start(suite) for _ in range(2)]
        self.assertEqual([process.wait(timeout=120) for process in processes], [0, 0])
        self.assertEqual(self.check_store(), (2, 4))
