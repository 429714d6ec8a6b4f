"""Steps of TRL's DPO trainer on tokenised pairs, chosen and rejected in turns; a reference model scores each step."""

from datasets import Dataset
from trl import DPOConfig, DPOTrainer

import shared


def prepare(job):
    return Dpo(job)


class TokenisedDpoTrainer(DPOTrainer):
    """Takes pairs that are tokens already."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset


class Dpo:
    def __init__(self, job):
        shared.limit_threads(job)
        self.job = job
        self.sequences = shared.sequences(job)
        self.model = shared.model(job)
        self.paused = shared.Paused()
        self.trainer = None

    def check(self):
        return shared.loss(self.model, self.sequences[: 2 * self.job["sizes"]["batch"]])

    def _start(self):
        config = DPOConfig(
            **shared.trainer_settings(self.job),
            max_length=None,
            max_prompt_length=None,
            beta=0.1,
            precompute_ref_log_probs=False,
        )
        pairs = zip(self.sequences[::2], self.sequences[1::2])
        self.trainer = TokenisedDpoTrainer(
            model=self.model,
            ref_model=shared.model(self.job),
            args=config,
            train_dataset=Dataset.from_list([self._row(chosen, rejected) for chosen, rejected in pairs]),
            processing_class=shared.tokenizer(self.job),
            callbacks=[self.paused],
        )
        self.paused.start(self.trainer)

    @staticmethod
    def _row(chosen, rejected):
        first = chosen["scoredFrom"]
        return {
            "prompt_input_ids": chosen["tokens"][:first],
            "chosen_input_ids": chosen["tokens"][first:],
            "rejected_input_ids": rejected["tokens"][first:],
        }

    def run(self, steps):
        if self.trainer is None:
            self._start()
        self.paused.run(steps)
