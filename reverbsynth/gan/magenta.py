"""Reads training directories of the original GANSynth (Magenta, TensorFlow 1).

A directory holds ``experiment.json`` and a folder for each stage with a checkpoint. Only the
generator's averaged weights are needed to play; no training set is.
"""

import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from reverbsynth import provenance
from reverbsynth.errors import RunError
from reverbsynth.files.reading import read_json
from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import generator_shapes
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.settings import GanSettings, SpectraSettings

AVERAGE = "/ExponentialMovingAverage"

ORIGINAL_PITCHES = (24, 84)  #: Pitches of the NSynth subset that GANSynth was trained on.

_FIXED = {
    "train_progressive": True,
    "num_resolutions": schedule.N_BLOCKS,
    "start_height": 2,
    "start_width": 16,
    "scale_base": 2,
    "scale_mode": "ALL",
    "fmap_decay": 1.0,
    "simple_arch": False,
    "to_rgb_activation": "tanh",
    "audio_length": 64000,
    "sample_rate": 16000,
}

_SIZES = {
    "latent_size": "latent_vector_size",
    "filters_base": "fmap_base",
    "filters_max": "fmap_max",
    "kernel_size": "kernel_size",
}
"""Their names of our settings of the networks."""

_NETWORKS = {
    "Generator/progressive_gan_generator/progressive_gan_": "generator/",
    "Discriminator/progressive_gan_discriminator/progressive_gan_": "discriminator/",
    "Discriminator/discriminator_cond/classification_": "discriminator/pitch_",
}
"""How names of variables begin, and what stands there in ours."""


def read_original(directory: Path | str, lowest_pitch: int | None = None) -> TrainedGenerator:
    """Read the last stage of an original training directory: the generator's averaged weights.

    The directory does not say which MIDI pitch its first class is, ``lowest_pitch``; 61 classes are
    taken to be GANSynth's 24 to 84. A `RunError` where a file is missing or damaged, or the network
    is of another make.
    """
    directory = Path(directory)
    path = directory / "experiment.json"
    experiment = read_json(path, error=RunError)
    for key, expected in _FIXED.items():
        if (value := experiment.get(key, expected)) != expected:
            raise RunError(f"{path}: {key} is {value!r}, only {expected!r} can be read")
    stage, prefix = _last_checkpoint(directory)
    variables = _read_checkpoint(prefix)
    gan, spectra = _settings(experiment, path)

    first = _required(variables, _original_name("block_1/conv0/kernel"), prefix)
    classes = first.shape[2] - gan.latent_size if first.ndim == 4 else 0
    if classes < 1:
        expected = f"(2, 16, {gan.latent_size} + pitches, filters)"
        raise RunError(f"{prefix}: first kernel has shape {first.shape}, expected {expected}")
    weights = {
        name: _required(variables, _original_name(name), prefix)
        for name in generator_shapes(gan, classes, stage)
    }
    images = int(_required(variables, "global_step", prefix))
    facts = {
        "commit": provenance.commit(),
        "imported_from": directory.resolve().name,
        "images_seen": images,
    }
    pitches = tuple(_pitches(classes, lowest_pitch, prefix))
    labels = LabelSpace({"pitch": pitches})
    progress = _progress(experiment, stage, images)
    try:
        return TrainedGenerator(gan, spectra, labels, stage, progress, weights, facts, pitches)
    except RunError as error:
        raise RunError(f"{prefix}: {str(error).removeprefix('instrument: ')}") from None


def read_original_networks(directory: Path | str) -> dict[str, np.ndarray]:
    """Read the generator itself and the discriminator of an original training directory.

    By names such as ``discriminator/block_1/conv0/kernel``, so far as they are there.
    """
    prefix = _last_checkpoint(Path(directory))[1]
    found = {}
    for name, value in _read_checkpoint(prefix, tuple(_NETWORKS)).items():
        if not name.endswith(AVERAGE):
            network = next(theirs for theirs in _NETWORKS if name.startswith(theirs))
            layer = re.sub("/(conv2d|dense)/", "/", name.removeprefix(network))
            layer = layer.replace("block_1/logits", "score")
            found[_NETWORKS[network] + layer] = value
    return found


def _original_name(ours: str) -> str:
    """The original's name of the average of one of our generator's variables."""
    ours = ours.replace("/kernel", "/conv2d/kernel")
    return f"Generator/progressive_gan_generator/progressive_gan_{ours}{AVERAGE}"


def _required(variables: dict[str, np.ndarray], name: str, prefix: Path) -> np.ndarray:
    if name not in variables:
        raise RunError(f"{prefix}: variable {name} is missing")
    return variables[name]


def _settings(experiment: dict[str, Any], path: Path) -> tuple[GanSettings, SpectraSettings]:
    def number(key: str, kind: type = int) -> Any:
        value: Any = experiment.get(key)
        with suppress(TypeError, OverflowError):  # It may be text, or greater than any float.
            if not isinstance(value, bool) and math.isfinite(value) and kind(value) == value:
                return kind(value)
        raise RunError(f"{path}: {key} is {value!r}, expected a number")

    scale, shift = (
        tuple(number(f"{channel}_normalizer_{x}", float) for channel in ("mag", "p")) for x in "ab"
    )
    try:
        gan = GanSettings(**{ours: number(theirs) for ours, theirs in _SIZES.items()})
        kind = experiment.get("data_type")
        return gan, SpectraSettings(representation=kind, scale=scale, shift=shift)
    except ValidationError as error:
        first = error.errors()[0]
        key = _SIZES.get(str(first["loc"][0]), "data_type")
        raise RunError(f"{path}: {key} is {first['input']!r}, {first['msg']}") from None


def _last_checkpoint(directory: Path) -> tuple[int, Path]:
    """The highest stage folder that has a checkpoint, and the checkpoint's prefix."""
    stages = {}
    for state in directory.glob("stage_*/checkpoint"):
        name = state.parent.name.removeprefix("stage_")
        if name.isdecimal() and state.is_file():
            stages[int(name)] = state
    if not stages:
        raise RunError(f"{directory}: no stage_NNNNN folder with a checkpoint file in it")
    stage, state = max(stages.items())
    if stage > schedule.LAST_STAGE:
        raise RunError(f"{state.parent}: stage {stage}, expected at most {schedule.LAST_STAGE}")
    pattern = r'(?m)^model_checkpoint_path:\s*"([^"]+)"'
    if not (named := re.search(pattern, state.read_text(errors="replace"))):
        raise RunError(f"{state}: does not name a model_checkpoint_path")
    # The path may be that of the machine it was trained on; the file lies beside this one.
    prefix = state.with_name(Path(named[1]).name)
    if not prefix.with_name(prefix.name + ".index").is_file():
        raise RunError(f"{prefix}.index: no such file, named in {state}")
    return stage, prefix


def _read_checkpoint(
    prefix: Path, begin: tuple[str, ...] = ("Generator/", "global_step")
) -> dict[str, np.ndarray]:
    """The variables whose names begin so."""
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        wanted = [name for name in reader.get_variable_to_shape_map() if name.startswith(begin)]
        return {name: np.asarray(reader.get_tensor(name)) for name in wanted}
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError, TypeError) as error:
        reason = str(error).splitlines()[0][:160]
        raise RunError(f"{prefix}: checkpoint is damaged ({reason})") from None


def _progress(experiment: dict, stage: int, images: int) -> float:
    """Progress of a step after so many images, by the experiment's own schedule."""
    last = schedule.blocks(stage) - 1
    stable = experiment.get("stable_stage_num_images", 0)
    transition = experiment.get("transition_stage_num_images", 0)
    whole = isinstance(stable, int) and isinstance(transition, int)
    if not (schedule.is_transition(stage) and whole and stable >= 0 and transition > 0):
        return float(last)
    cycles, rest = divmod(images, stable + transition)
    return float(min(cycles + max(0.0, (rest - stable) / transition), last))


def _pitches(classes: int, lowest: int | None, prefix: Path) -> range:
    low, high = ORIGINAL_PITCHES
    if lowest is None:
        if classes != high - low + 1:
            expected = f"expected GANSynth's {high - low + 1} ({low} to {high})"
            advice = "name the lowest pitch (--lowest-pitch)"
            raise RunError(f"{prefix}: {classes} pitch classes, {expected}; {advice}")
        lowest = low
    if not 0 <= lowest <= 128 - classes:
        expected = f"expected 0 to {128 - classes} for {classes} classes"
        raise RunError(f"lowest pitch: found {lowest}, {expected}")
    return range(lowest, lowest + classes)
