"""As check.py, with adapters:  python check_lora.py MODEL ADAPTERS [MODEL ADAPTERS]..."""
import json
import pathlib
import sys

import peft
import torch
import transformers as t

tokens = json.loads((pathlib.Path(__file__).parent / "figures.json").read_text())["tokens"]
result = []
for base, adapters in zip(sys.argv[1::2], sys.argv[2::2]):
    architecture = json.loads((pathlib.Path(base) / "config.json").read_text())["architectures"][0]
    model = getattr(t, architecture).from_pretrained(base, dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(model, adapters).eval()
    inner = model.base_model.model
    rows = []
    for row in tokens:
        ids = torch.tensor([row])
        with torch.no_grad():
            if architecture.endswith("ForSequenceClassification"):
                hidden = getattr(inner, inner.base_model_prefix)(ids).last_hidden_state
                rows.append(inner.score(hidden)[0, :, 0].tolist())
            else:
                log_probs = model(ids).logits[0].log_softmax(-1)
                rows.append([log_probs[i, row[i + 1]].item() for i in range(len(row) - 1)])
    result.append(rows)
print(json.dumps(result))
