"""Steps of TRL's SFT trainer on tokenised demonstrations, loss on the assistant's tokens only."""

from pathlib import Path

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
            output_dir=str(Path(self.job["directory"], "trainer")),
            per_device_train_batch_size=self.job["sizes"]["batch"],
            max_steps=1_000_000,
            max_length=None,
            packing=False,
            completion_only_loss=True,
            dataset_kwargs={"skip_prepare_dataset": True},
            learning_rate=shared.LEARNING_RATE,
            lr_scheduler_type="constant",
            adam_beta2=shared.BETAS[1],
            weight_decay=shared.WEIGHT_DECAY,
            max_grad_norm=shared.MAX_GRADIENT_NORM,
            optim="adamw_torch_fused",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
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
