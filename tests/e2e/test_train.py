"""Training: killed and resumed, diverging, asked for the impossible."""

import signal
import subprocess
import time

from harness import QASSAY, ProgramTest

# Few images and epochs: enough for several checkpoints.
SMALL = ["fmnist-cnn", "--samples", "1280", "--epochs", "3", "--threads", "1"]


class TrainTest(ProgramTest):
    def kill_after_a_checkpoint(self, folder):
        worker = subprocess.Popen([QASSAY, "train", *SMALL, "--output", folder], cwd=self.folder,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        checkpoint = self.folder / folder / "checkpoint.safetensors"
        deadline = time.monotonic() + 120
        while not checkpoint.exists():
            self.assertLess(time.monotonic(), deadline, "no checkpoint was written")
            self.assertIsNone(worker.poll(), "training ended before it could be killed")
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(self):
        self.qassay("train", *SMALL, "--output", "whole")
        self.kill_after_a_checkpoint("killed")
        self.assertFalse((self.folder / "killed" / "model.safetensors").exists())
        self.qassay("train", *SMALL, "--output", "killed", "--resume")
        for name in ("model.safetensors", "config.json"):
            self.assertEqual(self.digest(self.folder / "whole" / name), self.digest(self.folder / "killed" / name))

        other = self.qassay("train", *SMALL, "--seed", "another", "--output", "killed", "--resume", status=2)
        self.assertIn("another model, data set or recipe", other.stderr)

    def test_bad_input_is_one_clear_line(self):
        for arguments, words in [
            (["resnet-152"], "has no recipe"),
            ([], "no model is named"),
            (["fmnist-cnn", "--epochs", "0"], "--epochs"),
            (["fmnist-cnn", "--samples", "3"], "--samples"),
            (["fmnist-cnn", "--threads", "100000"], "--threads"),
            (["fmnist-cnn", "--resume", "--output", "nowhere"], "checkpoint.safetensors"),
        ]:
            result = self.qassay("train", *arguments, status=2)
            self.assertIn(words, result.stderr)
            self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
