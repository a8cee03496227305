"""A language model: from windows of text to figures."""

import json
import math
import pathlib
import random
import struct
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


def write_llama(folder, head=None):
    """A tiny LlamaForCausalLM over bytes, with random weights, in the layout of Hugging Face. `head` gives the
    numbers of a row of lm_head, if they are to be others."""
    hidden, wide, heads, kv_heads, vocabulary, layers = 32, 48, 4, 2, 256, 2
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": hidden,
        "intermediate_size": wide, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "num_hidden_layers": layers, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "vocab_size": vocabulary, "tie_word_embeddings": False,
    }
    shapes = {"model.embed_tokens.weight": [vocabulary, hidden], "model.norm.weight": [hidden],
              "lm_head.weight": [vocabulary, hidden]}
    kv = hidden // heads * kv_heads
    for i in range(layers):
        layer = f"model.layers.{i}."
        for name, shape in {"self_attn.q_proj": [hidden, hidden], "self_attn.k_proj": [kv, hidden],
                            "self_attn.v_proj": [kv, hidden], "self_attn.o_proj": [hidden, hidden],
                            "mlp.gate_proj": [wide, hidden], "mlp.up_proj": [wide, hidden],
                            "mlp.down_proj": [hidden, wide], "input_layernorm": [hidden],
                            "post_attention_layernorm": [hidden]}.items():
            shapes[f"{layer}{name}.weight"] = shape
    draw = random.Random(1)
    header, data = {}, b""
    for name, shape in shapes.items():
        if head and name == "lm_head.weight":
            numbers = [number for _ in range(vocabulary) for number in head(draw, hidden)]
        else:
            numbers = [draw.gauss(0, 0.3) for _ in range(math.prod(shape))]
        end = len(data) + 4 * len(numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), end]}
        data += struct.pack(f"<{len(numbers)}f", *numbers)
    text = json.dumps(header).encode()
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


TABLE = """
[[claim]]
id = "table.row"
statement = "the model has a perplexity of about 1,000"
source = "a table"
metric = "perplexity"
better = "lower"
kind = "measured"
schemes = ["W8A8"]
regimes = ["text"]
models = ["llama-of-a-paper"]
protocol = { text = "words.txt", context = 64, stride = 64, bos = "none", tail = "dropped" }
range = [1, 1e6]
reproduce = "qassay run language --model llama-of-a-paper"
"""


class LanguageTest(ProgramTest):
    def test_scores_a_model_and_a_text_of_ones_own(self):
        model, text = self.folder / "llama", self.folder / "my text.txt"
        write_llama(model)
        text.write_text("To be, or not to be, that is the question. " * 20)
        (self.folder / "ids.txt").write_text(" ".join(str(byte) for byte in text.read_bytes()))
        own = ["language", "--model", model, "--context", "64", "--stride", "32", "--samples", "3", "--quick",
               "--scheme", "W8A8", "--backend", "cpu"]
        self.run_suite(*own, "--text", text, "--kv-cache", "FP32", "--kv-cache", "INT8")
        rows = [row for row in self.records() if row["metric"] == "perplexity"]
        perplexity = {(row["scheme"], row["kv_cache"]): row["value"] for row in rows}
        self.assertEqual(set(perplexity), {(s, kv) for s in ("FP32", "W8A8") for kv in ("FP32", "INT8")})
        self.assertEqual(len(set(perplexity.values())), 4)  # each rounding shows
        protocol = dict(field.split("=") for field in rows[0]["protocol"].split())
        self.assertEqual({**protocol, "tokens": ""},
                         {"text": "my%20text.txt", "context": "64", "stride": "32", "bos": "none", "join": "none",
                          "tail": "dropped", "tokens": ""})
        first = [row for row in self.records() if row["metric"] == "time_to_first_token"]
        self.assertTrue(first and all(row["m"] > 1 and row["value"] > 0 for row in first))

        # The same tokens from a file of ids: the same figures, of another text by name.
        self.run_suite(*own, "--tokens", "ids.txt")
        again = [row for row in self.records() if row["metric"] == "perplexity" and row["scheme"] == "W8A8"
                 and row["kv_cache"] == "FP32"]
        self.assertEqual(again[0]["value"], perplexity["W8A8", "FP32"])
        self.assertIn(f"tokens={protocol['tokens']}", again[0]["protocol"])
        shown = self.qassay("show", again[0]["case"], "--store", self.store).stdout
        self.assertIn(again[0]["protocol"], shown)

        (self.folder / "latin1.txt").write_bytes(b"caf\xe9 " * 100)
        (self.folder / "short.txt").write_text("too short")
        for arguments, message in (
            (["--text", "latin1.txt"], "latin1.txt: is not UTF-8 at byte 3"),
            (["--text", "short.txt"], "has 9 tokens, fewer than one window of context 64"),
            (["--text", text, "--bos", "first-window"], "has no begin-of-text token"),
            (["--text", text, "--tokens", "ids.txt"], "--tokens: stands beside --text"),
            (["--text", text, "--stride", "65"], "stride: is 65 with a context of 64"),
        ):
            options = [option for option in own if option not in ("--stride", "32")] if "--stride" in arguments else own
            result = self.qassay("run", *options, *arguments, status=2)
            self.assertIn(message, result.stderr)

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

    def test_a_published_figure_is_judged_where_its_model_and_protocol_are(self):
        suite = self.suite(LANGUAGE.replace("evaluate = true", "evaluate = true\ntimed = false"))
        text, claims = self.folder / "words.txt", self.folder / "table.toml"
        text.write_text("To be, or not to be, that is the question. " * 20)
        claims.write_text(TABLE)
        for name, context, verdict, reason in (
            ("another-llama", 64, "not_testable", "needs_checkpoint"),
            ("llama-of-a-paper", 32, "not_testable", "not_comparable"),
            ("llama-of-a-paper", 64, "confirmed", ""),
        ):
            with self.subTest(name, context=context):
                model = self.folder / name
                if not model.exists():
                    write_llama(model)
                # Status 3: random weights get no token right, so that there is no loss to compare.
                self.run_suite(suite, "--model", name, "--text", text, "--context", context, "--scheme", "W8A8",
                               "--backend", "cpu", status=3)
                row, = json.loads(self.qassay("verify", claims, "--store", self.store, "--json").stdout)
                self.assertEqual((row["verdict"], row["reason"]), (verdict, reason))
                if verdict == "not_testable":
                    self.assertIn("to measure it: qassay run language --model llama-of-a-paper", row["note"])
