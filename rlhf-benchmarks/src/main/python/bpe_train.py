"""Byte-level BPE learned from the lines of a text with Hugging Face tokenizers."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def prepare(job):
    return BpeTrain(job)


class BpeTrain:
    def __init__(self, job):
        self.lines = Path(job["directory"], "text.txt").read_text(encoding="utf-8").split("\n")
        self.vocabulary = job["sizes"]["vocabulary"]

    def check(self):
        """How many tokens the text has under the merges that were learned."""
        tokenizer = self._train()
        return sum(len(e) for e in tokenizer.encode_batch(self.lines, add_special_tokens=False))

    def _train(self):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocabulary,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(self.lines, trainer)
        return tokenizer

    def run(self, steps):
        for _ in range(steps):
            self._train()
