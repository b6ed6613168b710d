"""A panel to play an instrument from a notebook (JupyterLab, Colab)."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import ipywidgets
import matplotlib
import numpy as np
from PIL import Image

from reverbsynth.audio.io import encode_audio, write_audio
from reverbsynth.audio.pitch import pitch_name
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.png import png
from reverbsynth.instrument.instrument import Instrument, at_peak
from reverbsynth.instrument.label_mixture import mix_labels, reference
from reverbsynth.instrument.latents import slerp
from reverbsynth.training.run import Run

_PEAK = 0.9
_DEPTH = 16.0  # Range of the magnitudes shown, in nepers below the loudest pixel.


class Panel(ipywidgets.VBox):
    """A panel with pitch, timbre, labels and stage; picture, player and a save button.

    It plays ``source``, a run, an instrument or the path of one, and is shown by being the last
    expression of a cell. Every change of a control plays the note again. A run offers all its
    finished stages; an instrument and a results bundle have one.

    ``wetness`` is the amount of the effect, None for an instrument without that label; with two
    effects it is their only control. ``selects`` has those of the other labels. ``wave`` is the
    note in the player [shape=(64000,)], as generated.
    """

    def __init__(self, source: Instrument | Run | Path | str):
        if not isinstance(source, Instrument | Run):
            source = Run.open(source) if Path(source).is_dir() else Instrument.load(source)
        of_stage: Callable[[int], Instrument]
        if isinstance(source, Run):
            last, of_stage = source.stage(None), partial(Instrument.from_run, source)
            stages = [last] if source.bundled else source.stages
        else:
            stages, of_stage = [source.stage], {source.stage: source}.__getitem__
        # Stages that were played stay loaded; four of full size are 120 MB.
        self._instrument = lru_cache(maxsize=4)(of_stage)
        instrument = self._instrument(stages[-1])
        others = {name: values for name, values in instrument.labels.items() if name != "pitch"}
        wide = ipywidgets.Layout(width="28rem", max_width="100%")
        self.pitch = ipywidgets.SelectionSlider(
            options=[(_key_name(instrument, pitch), pitch) for pitch in instrument.keys],
            value=instrument.middle_pitch,
            description="Pitch",
            continuous_update=False,
            layout=wide,
        )
        self.first_seed, self.second_seed = (
            ipywidgets.BoundedIntText(seed, min=0, max=2**31 - 1, description=f"Timbre {name}")
            for seed, name in ((0, "A"), (1, "B"))
        )
        share = partial(ipywidgets.FloatSlider, min=0, max=1, step=0.05, continuous_update=False)
        self.blend = share(0.0, description="A to B", layout=wide)
        self._effects = others.get("effect", ())
        self.selects = {
            name: ipywidgets.Dropdown(options=values, description=name.capitalize())
            for name, values in others.items()
            if len(values) > (2 if name == "effect" else 1)
        }
        # From one effect to the other; of more than two, the amount of the chosen one.
        dials = []
        if len(self._effects) == 2:
            dials = [share(0.0, description=self._other.capitalize(), layout=wide)]
        elif self._effects[2:]:
            dials = [share(1.0, description="Amount", layout=wide)]
        self.wetness = dials[0] if dials else None
        self.stage = ipywidgets.Dropdown(
            options=stages, value=stages[-1], description="Stage", disabled=len(stages) == 1
        )
        self.picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%"))
        self.player = ipywidgets.Audio(format="wav", autoplay=True, loop=False)
        self.file_name = ipywidgets.Text("note.wav", description="File")
        self.save = ipywidgets.Button(description="Save", tooltip="Write the note to this file")
        self.message = ipywidgets.Label()
        self.wave = np.zeros(0, np.float32)
        self._controls = [self.pitch, self.first_seed, self.second_seed, self.blend, self.stage]
        self._controls += [*self.selects.values(), *dials]
        for control in self._controls:
            control.observe(self._changed, names="value")
        self.save.on_click(self._save)
        seeds = ipywidgets.HBox([self.first_seed, self.second_seed])
        choices = ipywidgets.HBox([*self.selects.values(), self.stage])
        saving = ipywidgets.HBox([self.file_name, self.save])
        heard = [self.picture, self.player, saving, self.message]
        super().__init__([self.pitch, seeds, self.blend, choices, *dials, *heard])
        self._play()

    @property
    def _other(self) -> str:
        """The first effect that is not the reference."""
        return next(name for name in self._effects if name != reference(self._effects))

    def _labels(self) -> dict:
        labels = {name: select.value for name, select in self.selects.items()}
        if self.wetness is not None:
            chosen = labels.get("effect", self._other)
            labels["effect"] = mix_labels(reference(self._effects), chosen, self.wetness.value)
        return labels

    def _changed(self, _) -> None:
        """Play the note again; if that fails, say so and return to the last note played."""
        values = [control.value for control in self._controls]
        if values == self._played:
            return
        try:
            self._play()
        except (ReverbSynthError, OSError) as error:
            for control, value in zip(self._controls, self._played, strict=True):
                control.unobserve(self._changed, names="value")
                control.value = value
                control.observe(self._changed, names="value")
            self.message.value = str(error)

    def _play(self) -> None:
        instrument = self._instrument(self.stage.value)
        first, second = (
            instrument.latents(1, seed.value)[0] for seed in (self.first_seed, self.second_seed)
        )
        z = slerp(first, second, self.blend.value)
        image, self.wave = instrument.image_and_wave(self.pitch.value, z, **self._labels())
        self.picture.value = _png(image)
        self.player.value = encode_audio(at_peak(self.wave, _PEAK))
        self.message.value = ""
        self._played = [control.value for control in self._controls]

    def _save(self, _) -> None:
        try:
            write_audio(self.file_name.value, at_peak(self.wave, _PEAK))
        except ReverbSynthError as error:
            self.message.value = str(error)
        else:
            self.message.value = f"saved {self.file_name.value}"


panel = Panel  #: The name that notebooks call.


def _key_name(instrument: Instrument, pitch: int) -> str:
    remark = instrument.remark(pitch)
    return f"{pitch_name(pitch)} ({pitch})" + (f", {remark}" if remark else "")


def _png(image: np.ndarray) -> bytes:
    """Magnitude and instantaneous frequency [shape=(h, w, 2)] side by side, time to the right."""
    magnitude, frequency = image[..., 0], image[..., 1]
    shades = (magnitude - magnitude.max()) / _DEPTH + 1
    colours = [
        matplotlib.colormaps[name](np.clip(values, 0, 1).T[::-1], bytes=True)[..., :3]
        for name, values in (("magma", shades), ("twilight", frequency / 2 + 0.5))
    ]
    both = Image.new("RGB", (648, 256), "white")
    for left, picture in zip((0, 328), colours, strict=True):
        both.paste(Image.fromarray(picture).resize((320, 256), Image.Resampling.NEAREST), (left, 0))
    return png(both)
