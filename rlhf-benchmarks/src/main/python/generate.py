"""Greedy completions of equally long prompts with a key-value cache; a step is one call for all prompts."""

import torch

import shared


def prepare(job):
    return Generate(job)


class Generate:
    def __init__(self, job):
        shared.limit_threads(job)
        self.sequences = shared.sequences(job)
        self.prompts = torch.tensor([s["tokens"] for s in self.sequences])
        self.new_tokens = job["sizes"]["newTokens"]
        self.model = shared.model(job).eval()
        self.model.generation_config.eos_token_id = None

    def check(self):
        return shared.loss(self.model, self.sequences)

    def run(self, steps):
        for _ in range(steps):
            made = self.model.generate(
                self.prompts,
                attention_mask=torch.ones_like(self.prompts),
                max_new_tokens=self.new_tokens,
                do_sample=False,
                pad_token_id=0,
                use_cache=True,
            )
            assert made.shape[1] == self.prompts.shape[1] + self.new_tokens
