"""What TensorBoard shows of a run: the loss curves, and each stage's pictures and sounds.

Event files are written through TensorBoard's own record writer and messages, which need no
TensorFlow. The paper's authors watched training there; curves are named as its figures are.
"""

import io
import time
from contextlib import contextmanager
from pathlib import Path

import keras
import matplotlib
import numpy as np
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.io import encode_audio
from reverbsynth.errors import ReverbSynthError
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run, curve_names

SHOWN = 4
"""Pictures and sounds of a stage."""


class EventFile:
    """One event file of a run; steps are images seen.

    Parameters
    ----------
    folder : Path
        ``tensorboard/`` of the run. Every sitting adds a file.
    """

    def __init__(self, folder: Path):
        self._path = folder / f"events.out.tfevents.{time.time_ns()}.reverbsynth"
        with self._one_line():
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = RecordWriter(self._path.open("wb"))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, images_seen: int, *values: Summary.Value) -> None:
        """Append values."""
        event = Event(wall_time=time.time(), step=images_seen, summary=Summary(value=list(values)))
        self._write(event)

    def flush(self) -> None:
        """Let a running TensorBoard see what was added."""
        with self._one_line():
            self._writer.flush()

    def close(self) -> None:
        with self._one_line():
            self._writer.close()

    def _write(self, event: Event) -> None:
        with self._one_line():
            self._writer.write(event.SerializeToString())

    @contextmanager
    def _one_line(self):
        try:
            yield
        except OSError as error:
            raise ReverbSynthError(f"{self._path}: cannot be written ({error.strerror})") from error


def picture(tag: str, image: np.ndarray, channel: int) -> Summary.Value:
    """One channel of a de-normalized image [shape=(128, 1024, 2)], low bins at the bottom."""
    values = image[..., channel].T[::-1]
    low, high = (values.min(), values.max()) if channel == 0 else (-1.0, 1.0)
    scaled = (values - low) / max(high - low, 1e-9)
    colors = matplotlib.colormaps["magma" if channel == 0 else "twilight"](scaled, bytes=True)
    encoded = io.BytesIO()
    Image.fromarray(colors[..., :3]).save(encoded, "png")
    height, width = values.shape
    return Summary.Value(
        tag=tag,
        image=Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=encoded.getvalue()
        ),
    )


def sound(tag: str, wave: np.ndarray) -> Summary.Value:
    """A note [shape=(64000,)] at its true loudness, limited to [-1, 1]."""
    return Summary.Value(
        tag=tag,
        audio=Summary.Audio(
            sample_rate=SAMPLE_RATE,
            num_channels=1,
            length_frames=len(wave),
            encoded_audio_string=encode_audio(wave),
            content_type="audio/wav",
        ),
    )


class EventLog(keras.callbacks.Callback):
    """Writes every step's loss terms, under their figures' names.

    Parameters
    ----------
    metrics : MetricsLog
        Its last row is what is written.
    """

    def __init__(self, run: Run, events: EventFile, metrics):
        super().__init__()
        self._events, self._metrics = events, metrics
        self._names = curve_names(run.labels)

    def on_train_batch_end(self, batch, logs=None):
        row = self._metrics.last
        values = [
            Summary.Value(tag=self._names.get(column, column), simple_value=row[column])
            for column in row
            if column not in ("images", "seconds") and row[column] != ""
        ]
        self._events.add(row["images"], *values)

    def on_train_end(self, logs=None):
        self._events.flush()


def add_stage(events: EventFile, run: Run, stage: int, images_seen: int) -> None:
    """Write a finished stage's real and generated pictures and sounds."""
    samples = run.samples(stage)
    decode = Representation(run.settings.spectra).decode_all
    for kind in ("real", "generated"):
        images = getattr(samples, kind)[:SHOWN]
        for i, (image, wave) in enumerate(zip(images, decode(images), strict=True)):
            name = f"{kind}/{i}"
            events.add(
                images_seen,
                picture(f"magnitude/{name}", image, 0),
                picture(f"frequency/{name}", image, 1),
                sound(f"note/{name}", wave),
            )
    events.flush()
