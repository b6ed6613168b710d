"""The state of training as one file, from which a run goes on; safetensors, which run no code."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from keras import ops

from reverbsynth.errors import DivergedError, ReverbSynthError, RunError
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.gan.model import ProgressiveGAN

KEPT = 2


def network_variables(model: ProgressiveGAN) -> dict:
    """Variables of all three networks, by names such as ``ema_generator/block_1/…``."""
    return {
        f"{network}/{name}": variable
        for network in ("generator", "ema_generator", "discriminator")
        for name, variable in getattr(model, network).named_variables().items()
    }


def state_variables(model: ProgressiveGAN) -> dict:
    """Every variable that decides how training goes on."""
    state = {
        **network_variables(model),
        "random": model.random.state,
        "images_seen": model.images_seen,
        "penalty": model.penalty,
        **{f"last_terms/{name}": variable for name, variable in model.last_terms.items()},
    }
    for name in ("generator", "discriminator"):
        for i, variable in enumerate(getattr(model.optimizer, name).variables):
            state[f"{name}_adam/{i:03d}"] = variable
    return state


def values(variables: dict) -> dict[str, np.ndarray]:
    """Variables as NumPy arrays."""
    tensors = {name: ops.convert_to_tensor(v) for name, v in variables.items()}
    return {name: np.array(ops.convert_to_numpy(v)) for name, v in tensors.items()}


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: where training was, and `state_variables` by name."""

    stage: int
    images: int
    stage_seconds: float
    state: dict[str, np.ndarray]


class Checkpoints:
    """The last two states of a run, in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def save(self, model: ProgressiveGAN, images: int, stage_seconds: float) -> Path:
        """Write a checkpoint and keep the one before; a state that is not finite has diverged."""
        state = values(state_variables(model))
        for name, array in state.items():
            if not np.isfinite(array).all():
                raise self.diverged(f"{name} is not finite", images)
        path = self.folder / f"{images:010d}.safetensors"
        facts = {"stage": model.stage, "images": images, "stage_seconds": float(stage_seconds)}
        save_tensors(path, state, {name: repr(value) for name, value in facts.items()})
        for old in self._paths()[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole: a damaged one is passed over; None without any."""
        damage = None
        for path in reversed(self._paths()):
            try:
                state, facts = load_tensors(path)
                stage, images = int(facts["stage"]), int(facts["images"])
                return Checkpoint(stage, images, float(facts["stage_seconds"]), state)
            except (ReverbSynthError, KeyError, ValueError) as error:
                damage = damage or error
        if damage:
            raise RunError(f"{self.folder}: no whole checkpoint left ({damage})")
        return None

    def diverged(self, what: str, images: int) -> DivergedError:
        """The error of a training lost after so many images; it names the last good checkpoint."""
        latest = self.latest()
        at = f"last good checkpoint at {latest.images:,} images" if latest else "no checkpoint yet"
        return DivergedError(f"training diverged after {images:,} images: {what}; {at}")

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.safetensors"))


def restore(model: ProgressiveGAN, state: dict[str, np.ndarray]) -> None:
    """Put a checkpoint's state into a model of the same stage."""
    variables = state_variables(model)
    if variables.keys() != state.keys():
        odd = sorted(variables.keys() ^ state.keys())[0]
        raise RunError(f"checkpoint: holds other variables than the model ({odd})")
    for name, variable in variables.items():
        variable.assign(state[name])
