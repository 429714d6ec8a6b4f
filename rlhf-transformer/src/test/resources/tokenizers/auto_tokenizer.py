"""Prints the ids that AutoTokenizer of transformers gives texts, with and without special tokens, for each directory named.

python auto_tokenizer.py TEXTS.json DIRECTORY...
"""
import json
import pathlib
import sys

from transformers import AutoTokenizer

texts = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
result = []
for directory in sys.argv[2:]:
    tokenizer = AutoTokenizer.from_pretrained(directory)
    result.append({
        "plain": [tokenizer.encode(text, add_special_tokens=False) for text in texts],
        "framed": [tokenizer.encode(text) for text in texts],
    })
print(json.dumps(result))
