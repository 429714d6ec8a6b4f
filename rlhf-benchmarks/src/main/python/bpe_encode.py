"""The lines of a text to ids with Hugging Face tokenizers, all lines in one call."""

from pathlib import Path

from tokenizers import Tokenizer


def prepare(job):
    return BpeEncode(job)


class BpeEncode:
    def __init__(self, job):
        directory = Path(job["directory"])
        self.lines = (directory / "text.txt").read_text(encoding="utf-8").split("\n")
        self.tokenizer = Tokenizer.from_file(str(directory / "model" / "tokenizer.json"))

    def check(self):
        return sum(len(e) for e in self._encode())

    def _encode(self):
        return self.tokenizer.encode_batch_fast(self.lines, add_special_tokens=False)

    def run(self, steps):
        for _ in range(steps):
            self._encode()
