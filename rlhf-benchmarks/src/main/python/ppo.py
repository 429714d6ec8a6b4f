"""Iterations of TRL's PPO trainer: rollout, scores of reward, value and reference models, four epochs."""

from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForSequenceClassification
from trl import PPOConfig, PPOTrainer

import shared


def prepare(job):
    return Ppo(job)


class Ppo:
    def __init__(self, job):
        shared.limit_threads(job)
        self.prompts = shared.sequences(job)
        self.policy = shared.model(job)
        self.paused = shared.Paused()
        self.trainer = None
        self.job = job

    def check(self):
        return shared.loss(self.policy, self.prompts)

    def _start(self):
        count = len(self.prompts)
        config = PPOConfig(
            output_dir=str(Path(self.job["directory"], "trainer")),
            per_device_train_batch_size=count,
            gradient_accumulation_steps=1,
            num_mini_batches=1,
            local_rollout_forward_batch_size=count,
            num_ppo_epochs=self.job["sizes"]["epochs"],
            response_length=self.job["sizes"]["newTokens"],
            temperature=1.0,
            total_episodes=count * 100_000,
            num_sample_generations=0,
            learning_rate=1e-6,
            adam_beta2=shared.BETAS[1],
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        dataset = Dataset.from_list([{"input_ids": p["tokens"]} for p in self.prompts])
        self.trainer = PPOTrainer(
            args=config,
            processing_class=shared.tokenizer(self.job),
            model=self.policy,
            ref_model=shared.model(self.job),
            reward_model=self._scalar_model(),
            value_model=self._scalar_model(),
            train_dataset=dataset,
            eval_dataset=dataset,
            callbacks=[self.paused],
        )
        self.paused.start(self.trainer)

    def _scalar_model(self):
        directory = Path(self.job["directory"], "model")
        return AutoModelForSequenceClassification.from_pretrained(directory, num_labels=1, dtype=torch.float32)

    def run(self, steps):
        if self.trainer is None:
            self._start()
        self.paused.run(steps)
