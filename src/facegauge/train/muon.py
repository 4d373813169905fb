"""Muon: steps whose matrices are orthogonal, beside AdamW for everything that is no matrix.

The momentum of a matrix is brought near the closest orthogonal matrix by a Newton-Schulz iteration
before it moves the weights, so that rare directions count as much as frequent ones (Jordan et al.
2024, Muon). Its length is matched to AdamW's, 0.2 a weight in the root mean square, so that one
learning rate serves both (Liu et al. 2025, arXiv 2502.16982).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration, chosen by its author for steepness at 0."""
ITERATIONS = 5
MOMENTUM = 0.95
MATCHED = 0.2


class Muon(torch.optim.AdamW):
    """AdamW that moves the parameters of groups with ``matrices`` by Muon.

    Args:
        groups: as for AdamW; a group's ``matrices`` says that its parameters are matrices, or
            kernels of side 1, O×I×1×1.
        lr: the rate of all groups.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__([{"matrices": False, **group} for group in groups], lr=lr)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of all groups; the loss of ``closure``, when there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        every = self.param_groups
        chosen = [group for group in every if group["matrices"]]
        for group in chosen:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group["lr"], group["weight_decay"])
        self.param_groups = [group for group in every if not group["matrices"]]
        try:
            super().step()
        finally:
            self.param_groups = every
        return loss

    @torch.no_grad()
    def _move(self, weight: Tensor, rate: float, decay: float) -> None:
        state = self.state[weight]
        gradient = weight.grad.flatten(1)  # type: ignore[union-attr]
        if not state:
            state["step"] = torch.tensor(0.0)  # AdamW wants one in every state that it loads
            state["momentum"] = torch.zeros_like(gradient)
        state["step"] += 1
        momentum = state["momentum"]
        momentum.lerp_(gradient, 1.0 - MOMENTUM)
        turned = orthogonal(gradient.lerp(momentum, MOMENTUM))
        weight.mul_(1.0 - rate * decay)
        length = MATCHED * max(turned.shape) ** 0.5
        weight.add_(turned.view_as(weight), alpha=-rate * length)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix near the closest one whose shorter side is orthonormal; singular values 0.7 .. 1.2.

    Example:
        >>> turned = orthogonal(torch.diag(torch.tensor([3.0, 1.0, 0.2])))
        >>> bool((turned.diagonal() - 1.0).abs().max() < 0.35)
        True
    """
    first, second, third = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    turned = matrix.T if tall else matrix
    turned = turned / (turned.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = turned @ turned.T
        turned = first * turned + (second * square + third * square @ square) @ turned
    return turned.T if tall else turned


def is_matrix(weight: nn.Parameter) -> bool:
    """Whether a weight is O×I, or a kernel of side 1, O×I×1×1, with O and I above 1."""
    kernel = weight.ndim == 2 or (weight.ndim == 4 and weight.shape[2:] == (1, 1))
    return kernel and min(weight.shape[:2]) > 1
