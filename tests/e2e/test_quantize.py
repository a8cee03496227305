"""A language model of one's own, written as a GPTQ checkpoint."""

import json
import resource
import struct
import subprocess
import unittest

from harness import QASSAY, ProgramTest
from test_language import write_llama


def read_header(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8:8 + length])


class QuantizeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model, self.text = self.folder / "llama", self.folder / "calibration.txt"
        write_llama(self.model)
        self.text.write_text("To be, or not to be, that is the question. " * 60)

    def quantize(self, output, *arguments, status=0):
        return self.qassay("quantize", self.model, "--output", output, "--context", "64", *arguments, status=status)

    def test_writes_what_other_programs_read(self):
        done = self.quantize("gptq", "--method", "gptq-act@16", "--scheme", "W4A16-g32", "--calibration-text", self.text)
        self.assertIn("14 layers in W4A16-g32 by gptq-act@16", done.stdout)
        config = json.loads((self.folder / "gptq" / "config.json").read_text())
        self.assertEqual(config["quantization_config"]["quant_method"], "gptq")
        self.assertEqual((config["quantization_config"]["bits"], config["quantization_config"]["group_size"]), (4, 32))
        tensors = read_header(self.folder / "gptq" / "model.safetensors")
        down = "model.layers.1.mlp.down_proj."  # 48 inputs, 32 outputs
        self.assertEqual(tensors[down + "qweight"]["shape"], [48 * 4 // 32, 32])
        self.assertEqual(tensors[down + "scales"]["shape"], [2, 32])
        self.assertNotIn(down + "weight", tensors)
        self.assertIn("lm_head.weight", tensors)

        plain = self.quantize("plain", "--method", "rtn", "--scheme", "W8A16")
        self.assertIn("14 layers in W8A16 by rtn", plain.stdout)

    def test_bad_input_is_refused_and_nothing_is_written(self):
        faults = {
            ("--method", "gptq"): "--calibration-text: is missing",
            ("--method", "gpqt"): "--method: method 'gpqt' is not known",
            ("--method", "rtn", "--scheme", "W8A8"): "A8",
            ("--method", "gptq", "--calibration-text", self.text): "has 40 windows of 64 tokens, and 128",
            ("--method", "gptq", "--calibration-text", "none.txt"): "none.txt",
        }
        for arguments, fault in faults.items():
            self.assertIn(fault, self.quantize("new", *arguments, status=2).stderr)
            self.assertFalse((self.folder / "new").exists())
        self.text.write_text("kept")
        self.assertIn("is there already", self.quantize(self.text, "--method", "rtn", status=2).stderr)
        self.assertEqual(self.text.read_text(), "kept")

    def test_what_cannot_be_written_whole_is_not_there(self):
        (self.model / "tokenizer_config.json").write_text("{}")
        full = subprocess.run([QASSAY, "quantize", "llama", "--method", "rtn", "--output", "new"], cwd=self.folder,
                              capture_output=True, text=True, restore_signals=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assertEqual(full.returncode, 2, full.stderr)
        self.assertIn("new/model.safetensors", full.stderr)
        self.assertFalse((self.folder / "new").exists())
        self.quantize("new", "--method", "rtn")
        self.assertEqual((self.folder / "new" / "tokenizer_config.json").read_text(), "{}")


if __name__ == "__main__":
    unittest.main()
