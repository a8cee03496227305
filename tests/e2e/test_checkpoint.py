"""Checkpoints of GPTQ and AWQ: their own matrices, evaluated and timed."""

import json
import random
import struct
import unittest

from harness import ProgramTest
from test_language import write_llama

SUITE = """
name = "text"
description = "a language model in two schemes"

[[sweep]]
model = "gcide-lm"
evaluate = true
schemes = ["FP32", "W4A16-g32"]
backends = ["cpu"]
regimes = [{ m = 64, cache = "hot" }]
round_seconds = 0.002
"""


def grid_row(draw, size):
    """Numbers that W4A16-g32 has as they are: multiples of 1/8, the largest 7 of them."""
    return [0.875] + [draw.randint(-7, 7) / 8 for _ in range(size - 1)]


def repack_as_awq(source, target):
    """The same codes, scales and zero points in the layout of AWQ: along the outputs, each 8 in its order."""
    order = (0, 2, 4, 6, 1, 3, 5, 7)
    data = (source / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body, tensors = json.loads(data[8:8 + length]), data[8 + length:], {}
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values, shape = body[begin:end], entry["shape"]
        if name.endswith(".g_idx"):
            continue
        if name.endswith(".qweight") or name.endswith(".qzeros"):
            words = struct.unpack(f"<{len(values) // 4}I", values)
            if name.endswith(".qweight"):  # [k / 8, n] -> [k][n]
                n = shape[1]
                rows = [[words[k // 8 * n + o] >> 4 * (k % 8) & 15 for o in range(n)] for k in range(shape[0] * 8)]
            else:  # [groups, n / 8], less one
                n = shape[1] * 8
                rows = [[(words[g * shape[1] + o // 8] >> 4 * (o % 8) & 15) + 1 for o in range(n)]
                        for g in range(shape[0])]
            words = [sum(row[w + order[j]] << 4 * j for j in range(8)) for row in rows for w in range(0, n, 8)]
            values, shape = struct.pack(f"<{len(words)}I", *words), [len(rows), n // 8]
        tensors[name] = (entry["dtype"], shape, values)
    header, body = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(values)]}
        body += values
    text = json.dumps(header).encode()
    config = json.loads((source / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemm",
                                     "zero_point": True}
    target.mkdir()
    (target / "config.json").write_text(json.dumps(config))
    (target / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)


def scatter_groups(source, target):
    """The same tensors with the inputs of each group anywhere, as act-order leaves them: another model."""
    data = bytearray((source / "model.safetensors").read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    for name, entry in json.loads(data[8:8 + length]).items():
        if not name.endswith(".g_idx"):
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        groups = list(struct.unpack(f"<{(end - begin) // 4}i", data[begin:end]))
        random.Random(name.rsplit(".", 2)[0]).shuffle(groups)  # alike for the layers of one input, and for others
        data[begin:end] = struct.pack(f"<{len(groups)}i", *groups)
    config = json.loads((source / "config.json").read_text())
    config["quantization_config"]["desc_act"] = True
    target.mkdir()
    (target / "config.json").write_text(json.dumps(config))
    (target / "model.safetensors").write_bytes(data)


class CheckpointTest(ProgramTest):
    def setUp(self):
        super().setUp()
        # What a checkpoint leaves in floating point, and a run of ours quantizes, loses nothing.
        write_llama(self.folder / "llama", head=grid_row)
        (self.folder / "eval.txt").write_text("To be, or not to be, that is the question. " * 10)
        self.qassay("quantize", "llama", "--method", "rtn", "--scheme", "W4A16-g32", "--output", "llama-4bit")

    def scored(self, *arguments):
        """By scheme, method and metric: the figures of a run's whole model, and its other rows."""
        self.store.unlink(missing_ok=True)
        # Kernels for AMX would round activations to BF16, by which FP32's own kernels differ from them.
        self.run_suite(self.suite(SUITE), "--text", "eval.txt", "--quick", "--isa", "avx2", *arguments)
        rows = self.records()
        return {(row["scheme"], row["method"], row["metric"]): row for row in rows if row["layer"] == ""}, rows

    def test_loses_what_its_matrices_lose(self):
        own, _ = self.scored("--model", "llama")
        beside, rows = self.scored("--model", "llama-4bit", "--original", "llama")
        alone, _ = self.scored("--model", "llama-4bit")
        four, eight = ("W4A16-g32", "checkpoint"), ("W4A8-g32", "checkpoint")

        # The same codes by the same kernels, but for lm_head, whose numbers are the same in FP32: sums of 32 products
        # in another order, each layer.
        def value(run, case, metric="perplexity"):
            return run[(*case, metric)]["value"]

        rtn = ("W4A16-g32", "rtn")
        self.assertAlmostEqual(value(beside, four) / value(own, rtn), 1, delta=1e-5)
        self.assertAlmostEqual(value(beside, four, "kl_mean") / value(own, rtn, "kl_mean"), 1, delta=1e-3)
        self.assertEqual(value(beside, ("FP32", "none")), value(own, ("FP32", "none")))
        self.assertEqual(beside[(*four, "kl_mean")]["baseline"], "fp32")
        self.assertEqual(beside[(*four, "kl_mean")]["model"], "llama-4bit-of-llama")

        # Without its original, FP32 is what the codes stand for, and nothing is lost but by activations of 8 bits.
        self.assertEqual(value(alone, four), value(beside, four))
        self.assertAlmostEqual(value(alone, four) / value(alone, ("FP32", "none")), 1, delta=1e-5)
        for case in (four, eight):
            self.assertEqual(alone[(*case, "kl_mean")]["baseline"], "dequantized")
        self.assertLess(abs(value(alone, four, "kl_mean")), 1e-8)
        self.assertLess(1e-7, value(alone, eight, "kl_mean"))
        self.assertGreater(value(alone, eight, "latency"), 0)

        repack_as_awq(self.folder / "llama-4bit", self.folder / "llama-awq")
        awq, _ = self.scored("--model", "llama-awq", "--original", "llama")
        asymmetric = ("W4A16-g32-asym", "checkpoint")
        self.assertAlmostEqual(value(awq, asymmetric) / value(beside, four), 1, delta=1e-5)

        scatter_groups(self.folder / "llama-4bit", self.folder / "llama-act")
        act, act_rows = self.scored("--model", "llama-act")
        self.assertNotAlmostEqual(value(act, four) / value(alone, four), 1, delta=1e-3)
        self.assertAlmostEqual(value(act, four) / value(act, ("FP32", "none")), 1, delta=1e-5)
        self.assertLess(abs(value(act, four, "kl_mean")), 1e-8)
        self.assertFalse([row for row in act_rows if row["status"] not in ("passed", "skipped")])

        heads = [row for row in rows if row["layer"] == "lm_head" and row["method"] == "checkpoint"]
        self.assertEqual({(row["status"], row["reason"]) for row in heads},
                         {("skipped", "the checkpoint has it in floating point")})
        layers = [row for row in rows if row["layer"] and row["method"] == "checkpoint" and row not in heads]
        self.assertTrue(layers and all(row["status"] == "passed" for row in layers))

    def test_bad_input_is_refused(self):
        config = self.folder / "llama-4bit" / "config.json"
        good = config.read_text()
        run = ["language", "--model", "llama-4bit", "--text", "eval.txt"]
        for key, value, fault in (("bits", 5, "quantization_config, bits: is 5"),
                                  ("checkpoint_format", "gptq_v3", "is 'gptq_v3', which is not read"),
                                  ("group_size", 16, "g_idx: has not 16 inputs in each of")):
            changed = json.loads(good)
            changed["quantization_config"][key] = value
            config.write_text(json.dumps(changed))
            self.assertIn(fault, self.run_suite(*run, status=2).stderr)
        config.write_text(good)
        for original, fault in (("gcide-lm", "is another network"), ("llama-4bit", "is quantized itself")):
            self.assertIn(fault, self.run_suite(*run, "--original", original, status=2).stderr)
        self.assertFalse(self.store.exists())


if __name__ == "__main__":
    unittest.main()
