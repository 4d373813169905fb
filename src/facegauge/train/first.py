"""The recipe ``first``: regress a student on recognisers' labels while imitating their embeddings.

A run is divided into legs. Which crop is seen when, and every random number, follows from the seed
and the number of the visit alone, so a run that was killed and resumed is the run that was not.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import lightning
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from rich.progress import Progress
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset, Sampler

from facegauge.evaluate.curves import Comparisons, compare_all
from facegauge.train import runs
from facegauge.train.faces import UNKNOWN, Faces, read_faces
from facegauge.train.recipes import First
from facegauge.train.runs import Run
from facegauge.train.students import Student, planes
from facegauge.train.targets import LABELS, Targets, find_recognisers, make_targets
from facegauge.train.views import Views

_log = logging.getLogger(__name__)
_GRADE_BATCH = 64


def train(
    chosen: First,
    data: Path,
    out: Path,
    *,
    resume: bool = False,
    workers: int = 1,
    device: str = "cpu",
) -> Run:
    """Run the recipe from data to weights, or go on where it stopped.

    Args:
        chosen: the recipe.
        data: a folder of landmark tables and pictures (see ``faces``) and recognisers.
        out: the run folder.
        resume: go on with the run in ``out``.
        workers: processes that prepare crops; 0 prepares them in this one.
        device: ``cpu`` or ``cuda``.

    Raises:
        TrainingError: data, recognisers or run folder are not usable.
    """
    run = runs.begin(out, chosen, resume)
    run.write_facts({"revision": runs.revision(), **run.facts()})
    faces = read_faces(data, chosen.tables)
    targets = _targets(faces, chosen, data, run)
    views = Views(faces=faces, recipe=chosen)
    learner = Learner(chosen, [e.shape[1] for e in targets.embeddings], run, views, targets)
    lightning.seed_everything(chosen.seed, verbose=False)
    loader = Visits(chosen, views, targets, workers)
    trainer = _trainer(chosen, run, device)
    trainer.fit(learner, loader, ckpt_path=run.state if run.state.is_file() else None)
    _write_reference(run, chosen, views)
    return run


class Learner(lightning.LightningModule):
    """Student, its moving average, the losses and the validation."""

    def __init__(
        self, chosen: First, widths: list[int], run: Run, views: Views, targets: Targets
    ) -> None:
        super().__init__()
        torch.manual_seed(chosen.seed)
        self.student = Student(chosen.backbone, chosen.head_width, len(LABELS), widths)
        average = _warming_average(chosen.average)
        self.average = AveragedModel(self.student, multi_avg_fn=average, use_buffers=True)
        self.chosen, self.run = chosen, run
        self.validation = Validation(views, targets)
        self.history: list[dict[str, float]] = []

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW with linear warm-up and a cosine to zero; no decay on vectors and scalars."""
        decayed = [p for p in self.student.parameters() if p.ndim > 1]
        free = [p for p in self.student.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.chosen.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=self.chosen.learning_rate)
        total = self.chosen.legs * self.chosen.steps
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: _rate(step, total, self.chosen.warmup)
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def training_step(self, batch: dict[str, Tensor], number: int) -> Tensor:
        """Smooth-L1 on the labels that are known, plus the cosine distance to each recogniser."""
        torch.manual_seed(self.chosen.seed * 1_000_003 + self.global_step)
        labels, embeddings = self.student.answers(planes(batch["pixels"]))
        quality = _label_loss(labels.float(), batch["labels"], self.chosen.label_beta)
        distance = _embedding_loss(embeddings, batch)
        self.log_dict({"label": quality, "embedding": distance}, prog_bar=True)
        return quality + self.chosen.embedding_weight * distance

    def on_train_batch_end(self, *_: Any) -> None:
        """Move the average."""
        self.average.update_parameters(self.student)

    def on_train_epoch_end(self) -> None:
        """Validate the averaged weights and keep them when they are the best so far."""
        grades = self.validation.grade(self.average.module, self.device)
        losses = {key: float(self.trainer.callback_metrics[key]) for key in ("label", "embedding")}
        self.history.append({"step": self.global_step, **losses, **grades})
        best = min(entry["pauc_jittered"] for entry in self.history)
        if grades["pauc_jittered"] <= best:
            _save_weights(self.average.module, self.run.weights)
        self.run.write_facts(
            {**self.run.facts(), "legs": len(self.history), "history": self.history}
        )
        self.log_dict({key: grades[key] for key in ("pauc_jittered", "srcc")}, prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history with the state."""
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again."""
        self.history = checkpoint["history"]


class Validation:
    """Grades a network on the validation people: pAUC per recogniser, and rank correlation."""

    def __init__(self, views: Views, targets: Targets) -> None:
        faces = views.faces
        chosen = np.flatnonzero(faces.validation)
        self.aligned = np.stack([views.aligned(int(face), 0) for face in chosen])
        self.jittered = np.stack([views.jittered(int(face)) for face in chosen])
        self.labels = np.nanmean(targets.labels[chosen, 0], axis=1)
        named = faces.identities[chosen] != UNKNOWN
        self.named = np.flatnonzero(named)
        people = faces.identities[chosen][named]
        self.comparisons = [_compared(e[chosen][named], people) for e in targets.embeddings]

    def grade(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean pAUC (lower is better) aligned and jittered, SRCC with the label (higher)."""
        aligned = raw_scores(network, self.aligned, device)
        jittered = raw_scores(network, self.jittered, device)
        return {
            "pauc_aligned": self._pauc(aligned),
            "pauc_jittered": self._pauc(jittered),
            "srcc": _rank_correlation(jittered, self.labels),
        }

    def _pauc(self, raw: npt.NDArray[np.float32]) -> float:
        quality = raw[self.named]
        return float(np.mean([pairs.curve(quality).pauc(0.3) for pairs in self.comparisons]))


class _Crops(Dataset):
    """Crop number n of the run: which face and view, and what the student must answer."""

    def __init__(self, chosen: First, views: Views, targets: Targets) -> None:
        self.chosen, self.views, self.targets = chosen, views, targets
        self.training = np.flatnonzero(~views.faces.validation)

    def __getitem__(self, visit: int) -> dict[str, Any]:
        face, view = self._drawn(visit)
        targets = {f"embedding{i}": e[face] for i, e in enumerate(self.targets.embeddings)}
        return {
            "pixels": np.ascontiguousarray(self.views.visited(face, view, visit)),
            "labels": self.targets.labels[face, view],
            **targets,
        }

    def _drawn(self, visit: int) -> tuple[int, int]:
        """Face and view: the clean view as often as all degraded ones of a face together.

        Each turn over all of them has its own order, which follows from the seed.
        """
        degraded = self.chosen.views - 1
        slots = max(1, 2 * degraded)
        turn, place = divmod(visit, len(self.training) * slots)
        drawn = _order(self.chosen.seed, turn, len(self.training) * slots)[place]
        slot = int(drawn % slots)
        view = slot - degraded + 1 if degraded and slot >= degraded else 0
        return int(self.training[drawn // slots]), view


_ORDERS: dict[tuple[int, int, int], npt.NDArray[np.int64]] = {}


def _order(seed: int, turn: int, count: int) -> npt.NDArray[np.int64]:
    key = (seed, turn, count)
    if key not in _ORDERS:
        _ORDERS.clear()
        _ORDERS[key] = np.random.default_rng((seed, 3, turn)).permutation(count)
    return _ORDERS[key]


class _Leg(Sampler):
    """The visits of one leg, in order."""

    def __init__(self, start: int, count: int) -> None:
        self.start, self.count = start, count

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.start + self.count))

    def __len__(self) -> int:
        return self.count


class Visits(lightning.LightningDataModule):
    """Hands each leg its own visits."""

    def __init__(self, chosen: First, views: Views, targets: Targets, workers: int) -> None:
        super().__init__()
        self.chosen, self.workers = chosen, workers
        self.crops = _Crops(chosen, views, targets)

    def train_dataloader(self) -> DataLoader:
        """The crops of the leg that is about to be run."""
        count = self.chosen.steps * self.chosen.batch
        leg = 0 if self.trainer is None else self.trainer.current_epoch
        return DataLoader(
            self.crops,
            batch_size=self.chosen.batch,
            sampler=_Leg(leg * count, count),
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            worker_init_fn=_one_thread,
        )


def raw_scores(
    network: nn.Module, pixels: npt.NDArray[np.uint8], device: torch.device
) -> npt.NDArray[np.float32]:
    """Raw quality, N, of crops N×H×W×3, in float32 and without dropout."""
    network.eval()
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        parts = [
            network(planes(torch.from_numpy(pixels[start : start + _GRADE_BATCH]).to(device)))
            for start in range(0, len(pixels), _GRADE_BATCH)
        ]
    return torch.cat(parts).float().cpu().numpy()


def load_student(run: Run) -> Student:
    """The best student of a run, ready to use; its embedding heads are left out."""
    chosen = run.recipe()
    student = Student(chosen.backbone, chosen.head_width, len(LABELS), [])
    stored = load_file(run.weights)
    student.load_state_dict({k: v for k, v in stored.items() if not k.startswith("embeddings.")})
    return student.eval()


def _targets(faces: Faces, chosen: First, data: Path, run: Run) -> Targets:
    recognisers = find_recognisers(data, chosen.recognisers)
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("recognisers' answers", total=None)
        return make_targets(
            faces,
            chosen,
            recognisers,
            run.targets,
            lambda done, total: progress.update(task, completed=done, total=total),
        )


def _trainer(chosen: First, run: Run, device: str) -> lightning.Trainer:
    keep = ModelCheckpoint(
        dirpath=run.folder,
        filename=run.state.stem,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    shown = sys.stderr.isatty()
    return lightning.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        precision=chosen.precision,  # type: ignore[arg-type]
        max_epochs=chosen.legs,
        gradient_clip_val=chosen.clip,
        callbacks=[keep, *([TQDMProgressBar()] if shown else [])],
        enable_progress_bar=shown,
        enable_model_summary=False,
        logger=False,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=run.folder,
    )


def _write_reference(run: Run, chosen: First, views: Views) -> None:
    """Raw outputs of the validation faces, clean and once degraded: the reference population."""
    chosen_faces = [int(face) for face in np.flatnonzero(views.faces.validation)]
    crops = np.stack([views.aligned(face, view) for view in (0, 1) for face in chosen_faces])
    raw = raw_scores(load_student(run), crops, torch.device("cpu"))
    with run.reference.open("wb") as file:
        np.savez(file, raw=raw, faces=len(chosen_faces), people=len(_people(views.faces)))
    best = min(run.facts()["history"], key=lambda entry: entry["pauc_jittered"])
    done = {"data": _described(views.faces), "best": best, "complete": True}
    run.write_facts({**run.facts(), **done})


def _described(faces: Faces) -> str:
    """The tables of a run and how many of their faces were seen and held out."""
    tables = np.array([path.parent.name for path in faces.paths])
    parts = [
        f"{name}: {int((~faces.validation[tables == name]).sum())} faces for training, "
        f"{int(faces.validation[tables == name].sum())} held out for validation"
        for name in np.unique(tables)
    ]
    return "; ".join(parts)


def _people(faces: Faces) -> npt.NDArray[np.int64]:
    codes = faces.identities[faces.validation]
    return np.unique(codes[codes != UNKNOWN])


def _compared(embeddings: npt.NDArray[np.float32], people: npt.NDArray[np.int64]) -> Comparisons:
    return compare_all(embeddings, people, fmr=1e-3)


def _label_loss(predicted: Tensor, labels: Tensor, beta: float) -> Tensor:
    known = torch.isfinite(labels)  # (N, L)
    return functional.smooth_l1_loss(predicted[known], labels[known], beta=beta)


def _embedding_loss(embeddings: list[Tensor], batch: dict[str, Tensor]) -> Tensor:
    distances = [
        1.0 - functional.cosine_similarity(found.float(), batch[f"embedding{i}"]).mean()
        for i, found in enumerate(embeddings)
    ]
    return torch.stack(distances).mean()


def _warming_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """A moving average that forgets its random start: decay min(decay, (1 + n) / (10 + n))."""

    @torch.no_grad()
    def update(averages: list[Tensor], weights: list[Tensor], count: Any) -> None:
        kept = min(decay, (1.0 + float(count)) / (10.0 + float(count)))
        for average, weight in zip(averages, weights, strict=True):
            if average.is_floating_point():
                average.lerp_(weight.to(average.dtype), 1.0 - kept)
            else:
                average.copy_(weight)

    return update


def _rate(step: int, total: int, warmup: float) -> float:
    rise = max(1, round(total * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1.0 + float(np.cos(np.pi * (step - rise) / max(1, total - rise))))


def _rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)


def _save_weights(network: nn.Module, path: Path) -> None:
    draft = path.with_suffix(".draft")
    save_file({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}, draft)
    draft.replace(path)


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
