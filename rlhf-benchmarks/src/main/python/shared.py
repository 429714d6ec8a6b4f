"""What several kinds of work need: the files of a job, padded batches, the optimiser, a trainer that pauses."""

import json
import threading
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback

BETAS = (0.9, 0.95)
EPSILON = 1e-8
WEIGHT_DECAY = 0.1
MAX_GRADIENT_NORM = 1.0
LEARNING_RATE = 1e-5
IGNORED = -100


def limit_threads(job):
    torch.set_num_threads(job["threads"])


def sequences(job):
    """The job's sequences, each with its tokens and the index of the first one that is scored."""
    with open(Path(job["directory"], "sequences.jsonl")) as lines:
        return [json.loads(line) for line in lines]


def model(job):
    return AutoModelForCausalLM.from_pretrained(Path(job["directory"], "model"), dtype=torch.float32)


def tokenizer(job):
    file = Path(job["directory"], "model", "tokenizer.json")
    return PreTrainedTokenizerFast(tokenizer_file=str(file), pad_token="<|pad|>", eos_token="<|endoftext|>")


def padded(sequences):
    """The arguments of a forward pass; without a mask where nothing had to be padded."""
    longest = max(len(s["tokens"]) for s in sequences)
    tokens = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    labels = torch.full_like(tokens, IGNORED)
    for i, sequence in enumerate(sequences):
        ids = torch.tensor(sequence["tokens"])
        tokens[i, : len(ids)] = ids
        mask[i, : len(ids)] = 1
        labels[i, sequence["scoredFrom"] : len(ids)] = ids[sequence["scoredFrom"] :]
    batch = {"input_ids": tokens, "labels": labels}
    return batch if mask.all() else batch | {"attention_mask": mask}


@torch.no_grad()
def loss(model, sequences):
    """Mean of -log p over all scored tokens, nats."""
    return model(**padded(sequences)).loss.item()


def adamw(model):
    """AdamW with decay on matrices only, in PyTorch's fastest form."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, fused=True)


def trainer_settings(job):
    """The arguments that a configuration of Hugging Face's trainers gets whatever is trained: our optimiser, no side work."""
    return dict(
        output_dir=str(Path(job["directory"], "trainer")),
        per_device_train_batch_size=job["sizes"]["batch"],
        max_steps=1_000_000,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant",
        adam_beta2=BETAS[1],
        weight_decay=WEIGHT_DECAY,
        max_grad_norm=MAX_GRADIENT_NORM,
        optim="adamw_torch_fused",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


class Paused(TrainerCallback):
    """Runs a Hugging Face trainer on a thread of its own, which waits after each number of steps asked for."""

    def __init__(self):
        self.wanted = threading.Semaphore(0)
        self.done = threading.Semaphore(0)
        self.failure = None

    def start(self, trainer):
        threading.Thread(target=self._train, args=(trainer,), daemon=True).start()
        self.done.acquire()
        self._raise()

    def _train(self, trainer):
        try:
            trainer.train()
            raise RuntimeError("the trainer has run out of steps")
        except BaseException as failure:
            self.failure = failure
            self.done.release()

    def _raise(self):
        if self.failure:
            raise self.failure

    def run(self, steps):
        for _ in range(steps):
            self.wanted.release()
            self.done.acquire()
            self._raise()

    def on_train_begin(self, args, state, control, **kwargs):
        self.done.release()
        self.wanted.acquire()

    def on_step_end(self, args, state, control, **kwargs):
        self.done.release()
        self.wanted.acquire()
