"""Makes PEFT's adapters of some of the models beside this file, and what transformers computes with them.

Run with peft 0.21.2, transformers 4.57.6 and torch 2.15.0 (CPU), after make.py:  python make_lora.py
"""
import json
import pathlib
import shutil

import peft
import torch
import transformers as t

HERE = pathlib.Path(__file__).parent
LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTERS = {
    "llama": (t.LlamaForCausalLM, dict(target_modules=LLAMA)),
    "gpt2": (t.GPT2LMHeadModel, dict(target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True)),
    "palm": (t.CohereForCausalLM, dict(target_modules=["q_proj", "k_proj"], use_rslora=True)),
    "reward": (t.LlamaForSequenceClassification, dict(target_modules=["q_proj", "v_proj"], task_type="SEQ_CLS")),
}

# heads of 4, of which neighbours are turned, unlike those of 2 in palm, where the order is the same
torch.manual_seed(1)
palm = t.CohereForCausalLM(t.CohereConfig(
    vocab_size=13, bos_token_id=None, eos_token_id=None, pad_token_id=None, hidden_size=8, num_hidden_layers=2,
    num_attention_heads=2, num_key_value_heads=1, intermediate_size=12, max_position_embeddings=32, logit_scale=1.0))
with torch.no_grad():
    for parameter in palm.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
palm.save_pretrained(HERE / "lora" / "palm-base")
(HERE / "lora" / "palm-base" / "generation_config.json").unlink(missing_ok=True)
BASES = {"palm": "lora/palm-base"}

tokens = json.loads((HERE / "figures.json").read_text())["tokens"]
figures = {}
for name, (kind, options) in ADAPTERS.items():
    torch.manual_seed(2)
    model = kind.from_pretrained(HERE / BASES.get(name, name))
    options = {"task_type": "CAUSAL_LM", **options}
    model = peft.get_peft_model(model, peft.LoraConfig(r=3, lora_alpha=5, lora_dropout=0.1, **options)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.3 * torch.randn_like(parameter))
    directory = HERE / "lora" / name
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory)
    (directory / "README.md").unlink(missing_ok=True)
    config = json.loads((directory / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = BASES.get(name, name)
    (directory / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    rows = []
    for row in tokens:
        ids = torch.tensor([row])
        with torch.no_grad():
            if name == "reward":
                rows.append(model.base_model.model.score(
                    model.base_model.model.model(ids).last_hidden_state)[0, :, 0].tolist())
            else:
                log_probs = model(ids).logits[0].log_softmax(-1)
                rows.append([log_probs[i, row[i + 1]].item() for i in range(len(row) - 1)])
    figures[name] = [[round(x, 6) for x in row] for row in rows]
(HERE / "lora" / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
