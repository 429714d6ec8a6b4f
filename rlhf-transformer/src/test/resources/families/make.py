"""Makes the model directories beside this file, and the log-probs that transformers computes on them.

Run with transformers 4.57.6 and torch 2.15.0 (CPU):  python make.py
Weights are random (seed 1), 5 times as large as at the start of training so that nothing is lost in rounding.
"""
import json
import pathlib
import shutil

import torch
import transformers as t

HERE = pathlib.Path(__file__).parent
COMMON = dict(vocab_size=13, bos_token_id=None, eos_token_id=None, pad_token_id=None)
LLAMA = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=12,
             max_position_embeddings=32, **COMMON)

MODELS = {
    "gpt2": lambda: t.GPT2LMHeadModel(t.GPT2Config(n_embd=8, n_layer=2, n_head=2, n_positions=32, **COMMON)),
    "gpt2-untied": lambda: t.GPT2LMHeadModel(
        t.GPT2Config(n_embd=8, n_layer=1, n_head=2, n_positions=32, tie_word_embeddings=False, **COMMON)),
    "llama": lambda: t.LlamaForCausalLM(t.LlamaConfig(**LLAMA)),
    "llama-biases": lambda: t.LlamaForCausalLM(
        t.LlamaConfig(attention_bias=True, mlp_bias=True, head_dim=6, **LLAMA)),
    "llama3": lambda: t.LlamaForCausalLM(t.LlamaConfig(
        rope_theta=500000.0, tie_word_embeddings=True,
        rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                          original_max_position_embeddings=16), **LLAMA)),
    "llama-linear": lambda: t.LlamaForCausalLM(t.LlamaConfig(rope_scaling=dict(rope_type="linear", factor=4.0), **LLAMA)),
    "mistral": lambda: t.MistralForCausalLM(t.MistralConfig(sliding_window=16, **LLAMA)),
    "qwen2": lambda: t.Qwen2ForCausalLM(t.Qwen2Config(tie_word_embeddings=True, rope_theta=1000000.0, **LLAMA)),
    "gemma": lambda: t.GemmaForCausalLM(t.GemmaConfig(head_dim=4, **LLAMA)),
    "palm": lambda: t.CohereForCausalLM(t.CohereConfig(logit_scale=1.0, **{**LLAMA, "num_key_value_heads": 1})),
    "reward": lambda: t.LlamaForSequenceClassification(t.LlamaConfig(num_labels=1, **LLAMA)),
}
TOKENS = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 12], [2, 7, 1, 8, 2, 8]]

figures = {}
for name, make in MODELS.items():
    torch.manual_seed(1)
    model = make().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    directory = HERE / name
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)
    rows = []
    for tokens in TOKENS:
        ids = torch.tensor([tokens])
        with torch.no_grad():
            if name == "reward":
                hidden = model.model(ids).last_hidden_state
                rows.append(model.score(hidden)[0, :, 0].tolist())
            else:
                log_probs = model(ids).logits[0].log_softmax(-1)
                rows.append([log_probs[i, tokens[i + 1]].item() for i in range(len(tokens) - 1)])
    figures[name] = [[round(x, 6) for x in row] for row in rows]
(HERE / "figures.json").write_text(json.dumps({"tokens": TOKENS, "figures": figures}, indent=1) + "\n")
