"""Writes golden.gguf (random blocks of every quantised type) and golden.json (the floats that the gguf package, 0.19.0,
dequantises them to, as bits; Q8_0 and F16 bytes that it quantises to). Run: python generate.py"""
import json, os
import numpy as np, gguf
from gguf import GGMLQuantizationType as T, GGUFWriter, quants

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)
w = GGUFWriter(os.path.join(here, "golden.gguf"), "llama")
w.add_uint8("u8", 200); w.add_int8("i8", -5); w.add_uint16("u16", 60000); w.add_int16("i16", -6)
w.add_uint32("u32", 4000000000); w.add_int32("i32", -7); w.add_float32("f32", 1.5); w.add_bool("b", True)
w.add_string("s", "grüße"); w.add_uint64("u64", 2**63 + 1); w.add_int64("i64", -8); w.add_float64("f64", 0.1)
w.add_array("words", ["a", "b c", "ü"]); w.add_array("ints", [1, -2, 3]); w.add_array("reals", [0.5, -0.25])
out = {"dequantized": {}}
for t in (T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K, T.BF16):
    block, size = gguf.GGML_QUANT_SIZES[t]
    raw = rng.integers(0, 256, (2, max(1, 256 // block) * size), dtype=np.uint8)
    blocks = raw.reshape(-1, size)
    if t != T.BF16:  # the scales: halves of ordinary size
        places = {T.Q6_K: [208]}.get(t, [0, 2] if t in (T.Q4_1, T.Q5_1, T.Q4_K, T.Q5_K) else [0])
        for p in places:
            blocks[:, p:p + 2] = rng.normal(0, 0.05, len(blocks)).astype(np.float16).view(np.uint8).reshape(-1, 2)
    else:
        blocks[:] = (rng.normal(0, 1, len(blocks)).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).reshape(-1, 2)
    w.add_tensor("t." + t.name, raw, raw_dtype=t)
    out["dequantized"]["t." + t.name] = quants.dequantize(raw, t).astype(np.float32).tobytes().hex()
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
x = rng.normal(0, 0.3, (6, 32)).astype(np.float32)
x[1] *= 1e-6; x[2] = 0; x[3] = np.arange(32) * 0.5 - 8; x[3, 0] = 127; x[4] *= 1e4
out["source"] = x.tobytes().hex()
out["q8_0"] = quants.quantize(x, T.Q8_0).tobytes().hex()
out["f16"] = x.astype(np.float16).tobytes().hex()
out["bf16"] = quants.quantize(x, T.BF16).tobytes().hex()
json.dump(out, open(os.path.join(here, "golden.json"), "w"), indent=1)
