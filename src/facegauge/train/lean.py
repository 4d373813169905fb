"""A network with the same answers in fewer steps: what is exported of an EdgeNeXt.

ONNX Runtime computes layers on N×H×W×C as matrix products with their bias added in another pass,
and timm's blocks multiply by a scale and compute where each pixel is for every picture anew. Here
pixels become rows (one ``Gemm``, bias included), the scale becomes part of the weights before it,
and positions depend on no picture: their waves are stored (``fg_waves``) and projected once, when
the file is opened.
"""

from __future__ import annotations

import copy

import torch
from timm.models.edgenext import (
    ConvBlock,
    CrossCovarianceAttn,
    PositionalEncodingFourier,
    SplitTransposeBlock,
)
from torch import Tensor, nn

_TINY = 1e-12


def lean(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy for export, in evaluation mode, that answers pictures of the example's size alike.

    Networks without EdgeNeXt blocks are given back as they are.
    """
    network = network.eval()
    if not any(isinstance(part, ConvBlock | SplitTransposeBlock) for part in network.modules()):
        return network
    slim = copy.deepcopy(network)
    places = _places(slim, example)
    for part in list(slim.modules()):
        for name, child in part.named_children():
            if isinstance(child, ConvBlock):
                setattr(part, name, _LeanConvolution(child))
            elif isinstance(child, SplitTransposeBlock):
                setattr(part, name, _LeanTransposed(child, places[child]))
    return slim


def _places(network: nn.Module, example: Tensor) -> dict[nn.Module, torch.Size]:
    """The shapes of what each SplitTransposeBlock is shown."""
    seen: dict[nn.Module, torch.Size] = {}
    blocks = [part for part in network.modules() if isinstance(part, SplitTransposeBlock)]
    hooks = [
        block.register_forward_pre_hook(lambda part, given: seen.update({part: given[0].shape}))
        for block in blocks
    ]
    with torch.no_grad():
        network(example[:1])
    for hook in hooks:
        hook.remove()
    return seen


class _LeanConvolution(nn.Module):
    """timm's ConvBlock: depthwise convolution, then two layers on every pixel."""

    def __init__(self, block: ConvBlock) -> None:
        super().__init__()
        self.block = block
        _fold(block.gamma, block.mlp.fc2)

    def forward(self, picture: Tensor) -> Tensor:
        """N×C×H×W -> N×D×H'×W'."""
        block = self.block
        found = block.conv_dw(picture)
        shortcut = found if block.shortcut_after_dw else picture
        _, width, rows, columns = found.shape
        pixels = found.permute(0, 2, 3, 1).reshape(-1, width)  # (NHW, C)
        pixels = block.mlp(block.norm(pixels))
        return shortcut + pixels.reshape(-1, rows, columns, width).permute(0, 3, 1, 2)


class _LeanTransposed(nn.Module):
    """timm's SplitTransposeBlock: convolutions at several scales, attention between channels."""

    def __init__(self, block: SplitTransposeBlock, shape: torch.Size) -> None:
        super().__init__()
        self.block = block
        if block.pos_embd is not None:
            self.register_buffer("fg_waves", _waves(block.pos_embd, shape))
        _fold(block.gamma, block.mlp.fc2)
        _fold(block.gamma_xca, block.xca.proj)

    def forward(self, picture: Tensor) -> Tensor:
        """N×C×H×W -> N×C×H×W."""
        block = self.block
        found = torch.cat(self._scales(picture), 1)
        _, width, rows, columns = found.shape
        places = found.permute(0, 2, 3, 1).reshape(-1, rows * columns, width)  # (N, HW, C)
        if block.pos_embd is not None:
            positions = block.pos_embd.token_projection(self.fg_waves)  # (1, C, H, W)
            places = places + positions.flatten(2).permute(0, 2, 1)
        pixels = places.reshape(-1, width)
        pixels = pixels + _attended(block.xca, block.norm_xca(pixels), rows * columns)
        pixels = block.mlp(block.norm(pixels))
        return picture + pixels.reshape(-1, rows, columns, width).permute(0, 3, 1, 2)

    def _scales(self, picture: Tensor) -> list[Tensor]:
        """Groups of channels, each but the last convolved with what became of the one before."""
        first, *rest = picture.chunk(len(self.block.convs) + 1, dim=1)
        seen = [self.block.convs[0](first)]
        for convolution, group in zip(self.block.convs[1:], rest, strict=False):
            seen.append(convolution(seen[-1] + group))
        return [*seen, rest[-1]]


def _waves(encoding: PositionalEncodingFourier, shape: torch.Size) -> Tensor:
    """The sines and cosines of all positions, 1×D×H×W, before they are projected."""
    width = 2 * encoding.hidden_dim
    plain = copy.deepcopy(encoding)
    plain.token_projection = nn.Conv2d(width, width, 1, bias=False)
    with torch.no_grad():
        plain.token_projection.weight.copy_(torch.eye(width)[:, :, None, None])
        return plain((1, *shape[2:]))


def _attended(attention: CrossCovarianceAttn, pixels: Tensor, places: int) -> Tensor:
    """Cross-covariance attention (XCiT, El-Nouby et al. 2021, section 3.2) of rows NHW×C."""
    heads, width = attention.num_heads, pixels.shape[1]
    parts = attention.qkv(pixels).reshape(-1, places, 3, heads, width // heads)
    query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # (N, heads, HW, C') each
    alike = (_unit(query).transpose(-2, -1) @ _unit(key)) * attention.temperature
    mixed = value @ alike.softmax(dim=-1).transpose(-2, -1)
    return attention.proj(mixed.permute(0, 2, 1, 3).reshape(-1, width))


def _unit(columns: Tensor) -> Tensor:
    return columns / torch.linalg.vector_norm(columns, dim=-2, keepdim=True).clamp_min(_TINY)


def _fold(scale: Tensor | None, layer: nn.Linear | nn.Conv2d) -> None:
    """Let a layer's own weights do what multiplying its answers would."""
    if scale is None:
        return
    with torch.no_grad():
        layer.weight.mul_(scale.reshape(-1, *[1] * (layer.weight.ndim - 1)))
        if layer.bias is not None:
            layer.bias.mul_(scale)
