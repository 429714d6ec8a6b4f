"""Prints the ids that AutoTokenizer of transformers gives texts, with and without special tokens, for each directory named,
and the ids of the tokens with a role as config.json and generation_config.json have them.

python auto_tokenizer.py TEXTS.json DIRECTORY...
"""
import json
import pathlib
import sys

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

texts = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
result = []
for directory in sys.argv[2:]:
    tokenizer = AutoTokenizer.from_pretrained(directory)
    given = set(tokenizer("one"))
    if given != {"input_ids", "attention_mask"}:
        raise SystemExit(f"{directory}: generate() would be given {given}")
    roles = [
        [settings.bos_token_id, settings.eos_token_id, settings.pad_token_id]
        for settings in (AutoConfig.from_pretrained(directory), GenerationConfig.from_pretrained(directory))
    ]
    result.append({
        "plain": [tokenizer.encode(text, add_special_tokens=False) for text in texts],
        "framed": [tokenizer.encode(text) for text in texts],
        "roles": roles,
    })
print(json.dumps(result))
