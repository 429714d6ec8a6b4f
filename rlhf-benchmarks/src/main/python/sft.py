"""Steps of TRL's SFT trainer on tokenised demonstrations, loss on the assistant's tokens only."""

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

import shared


def prepare(job):
    return Sft(job)


class Sft:
    def __init__(self, job):
        shared.limit_threads(job)
        self.job = job
        self.demonstrations = shared.sequences(job)
        self.model = shared.model(job)
        self.paused = shared.Paused()
        self.trainer = None

    def check(self):
        return shared.loss(self.model, self.demonstrations[: self.job["sizes"]["batch"]])

    def _start(self):
        config = SFTConfig(
            **shared.trainer_settings(self.job),
            max_length=None,
            packing=False,
            completion_only_loss=True,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
        self.trainer = SFTTrainer(
            model=self.model,
            args=config,
            train_dataset=Dataset.from_list([self._row(d) for d in self.demonstrations]),
            processing_class=shared.tokenizer(self.job),
            callbacks=[self.paused],
        )
        self.paused.start(self.trainer)

    @staticmethod
    def _row(demonstration):
        tokens, first = demonstration["tokens"], demonstration["scoredFrom"]
        return {"input_ids": tokens, "completion_mask": [0] * first + [1] * (len(tokens) - first)}

    def run(self, steps):
        if self.trainer is None:
            self._start()
        self.paused.run(steps)
