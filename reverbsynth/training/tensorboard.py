"""What TensorBoard shows of a run: the loss curves, and each stage's pictures and sounds.

Event files are TFRecord files of TensorBoard's own messages, which need no TensorFlow. The paper's
authors watched training there; curves are named as its figures are.
"""

import time
from typing import Any

import matplotlib
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.io import encode_audio
from reverbsynth.data.tfrecord import frame
from reverbsynth.files.atomic import writing
from reverbsynth.files.png import png
from reverbsynth.spectra.format import BINS
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.metrics import curve_names
from reverbsynth.training.run import Run

SHOWN = 4  # Pictures and sounds of a stage.


class EventFile:
    """One event file of a run; each session adds a file. Steps are images seen.

    What an earlier session wrote of steps after ``images_seen``, where this begins, is dropped.
    """

    def __init__(self, run: Run, images_seen: int):
        self._run, self._names = run, curve_names(run.labels)
        folder = run.directory / "tensorboard"
        self._path = folder / f"events.out.tfevents.{time.time_ns()}.reverbsynth"
        with writing(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")
        self._write(file_version="brain.Event:2")
        self._write(step=images_seen + 1, session_log=SessionLog(status=SessionLog.START))

    def add_metrics(self, row: dict[str, Any]) -> None:
        """Append a row of metrics, under the titles of the paper's figures."""
        values = [
            Summary.Value(tag=self._names.get(column, column), simple_value=value)
            for column, value in row.items()
            if column not in ("images", "seconds") and value != ""
        ]
        self._write(step=row["images"], summary=Summary(value=values))

    def add_stage(self, stage: int, images_seen: int) -> None:
        """Append a finished stage's real and generated pictures and sounds."""
        samples = self._run.samples(stage)
        decode = Representation(self._run.settings.spectra).decode_all
        for kind in ("real", "generated"):
            images = getattr(samples, kind)[:SHOWN]
            for i, (image, wave) in enumerate(zip(images, decode(images), strict=True)):
                values = [
                    Summary.Value(tag=f"magnitude/{kind}/{i}", image=_picture(image, 0)),
                    Summary.Value(tag=f"frequency/{kind}/{i}", image=_picture(image, 1)),
                    Summary.Value(tag=f"note/{kind}/{i}", audio=_sound(wave)),
                ]
                self._write(step=images_seen, summary=Summary(value=values))
        self.flush()

    def flush(self) -> None:
        """Let a running TensorBoard see what was added."""
        with writing(self._path):
            self._file.flush()

    def close(self) -> None:
        """Write what is held back and close the file."""
        with writing(self._path):
            self._file.close()

    def _write(self, **content: Any) -> None:
        event = Event(wall_time=time.time(), **content)
        with writing(self._path):
            self._file.write(frame(event.SerializeToString()))


def _picture(image: np.ndarray, channel: int) -> Summary.Image:
    """One channel of a de-normalized image [shape=(128, 1024, 2)], low bins at the bottom."""
    factor = BINS // image.shape[1]
    values = image[..., channel].T[::-1].repeat(factor, axis=0).repeat(factor, axis=1)
    low, high = (values.min(), values.max()) if channel == 0 else (-1.0, 1.0)
    scaled = (values - low) / max(high - low, 1e-9)
    colors = matplotlib.colormaps["magma" if channel == 0 else "twilight"](scaled, bytes=True)
    height, width = values.shape
    file = png(colors[..., :3])
    return Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=file)


def _sound(wave: np.ndarray) -> Summary.Audio:
    """A note [shape=(64000,)] at its true loudness, limited to [-1, 1]."""
    return Summary.Audio(
        sample_rate=SAMPLE_RATE,
        num_channels=1,
        length_frames=len(wave),
        encoded_audio_string=encode_audio(wave),
        content_type="audio/wav",
    )
