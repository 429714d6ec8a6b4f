"""Products of square matrices with PyTorch's BLAS."""

import torch

import shared


def prepare(job):
    return Gemm(job)


class Gemm:
    def __init__(self, job):
        shared.limit_threads(job)
        size = job["sizes"]["size"]
        self.left = torch.full((size, size), 0.5)
        self.right = torch.full((size, size), 0.25)
        self.product = torch.empty(size, size)

    def check(self):
        torch.mm(self.left, self.right.t(), out=self.product)
        return self.product[0, 0].item()

    def run(self, steps):
        for _ in range(steps):
            torch.mm(self.left, self.right.t(), out=self.product)
