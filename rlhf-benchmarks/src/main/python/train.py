"""Training steps of a language model: forward, backward, clipping, AdamW; variant `eager` or `compiled`."""

import torch

import shared


def prepare(job):
    return Train(job)


class Train:
    def __init__(self, job):
        shared.limit_threads(job)
        self.sequences = shared.sequences(job)
        self.batch = shared.padded(self.sequences)
        self.model = shared.model(job).train()
        self.optimizer = shared.adamw(self.model)
        self.forward = torch.compile(self.model) if job["variant"] == "compiled" else self.model

    def check(self):
        return shared.loss(self.model, self.sequences)

    def run(self, steps):
        for _ in range(steps):
            self.forward(**self.batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), shared.MAX_GRADIENT_NORM, foreach=True)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
