"""Prints the log-probs of the tokens in figures.json that transformers computes on each directory that is named.

A reward model's scores, for a sequence classifier.  python check.py DIRECTORY...
"""
import json
import pathlib
import sys

import torch
import transformers as t

tokens = json.loads((pathlib.Path(__file__).parent / "figures.json").read_text())["tokens"]
result = []
for directory in sys.argv[1:]:
    architecture = json.loads((pathlib.Path(directory) / "config.json").read_text())["architectures"][0]
    model, report = getattr(t, architecture).from_pretrained(directory, output_loading_info=True, dtype=torch.float32)
    model.eval()
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"], report
    rows = []
    for row in tokens:
        ids = torch.tensor([row])
        with torch.no_grad():
            if architecture.endswith("ForSequenceClassification"):
                hidden = getattr(model, model.base_model_prefix)(ids).last_hidden_state
                rows.append(model.score(hidden)[0, :, 0].tolist())
            else:
                log_probs = model(ids).logits[0].log_softmax(-1)
                rows.append([log_probs[i, row[i + 1]].item() for i in range(len(row) - 1)])
    result.append(rows)
print(json.dumps(result))
