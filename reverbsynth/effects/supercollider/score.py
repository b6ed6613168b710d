"""Many notes through a SynthDef in one run of scsynth, without a sound device.

A score is a file of OSC bundles, each after its length, timed from the start by NTP tags. Every
note has a slot of its own: a buffer read from one long sound file, and a new synth.
"""

import math
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import build_msg
from pythonosc.parsing.ntp import ntp_time_to_system_epoch

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.effects.supercollider.synthdef import SynthDef
from reverbsynth.errors import ReverbSynthError

MEMORY = 262_144  # Kilobytes for delay lines: every synth of the paper's reverb takes 17.
INSTALL = "install SuperCollider's server (Debian, Ubuntu: apt-get install supercollider-server)"
Controls = Mapping[str, float | Sequence[float]]
_BUFFER, _GROUP, _HEAD, _TAIL = 0, 1, 0, 1


def find_scsynth() -> str | None:
    """Path of the scsynth program, or None where there is none."""
    mac = "/Applications/SuperCollider.app/Contents/Resources/scsynth"
    return shutil.which("scsynth") or shutil.which(mac)


@cache
def scsynth_version() -> str:
    """The name and version that scsynth prints, such as ``"scsynth 3.13.0"``."""
    return " ".join(_run(["-v"], timeout=30).split("(")[0].split())


def render(
    synthdef: SynthDef,
    audio: np.ndarray,
    controls: Sequence[Controls],
    seeds: Sequence[int] | None = None,
) -> np.ndarray:
    """Play each note [shape=(notes, samples)] through a synth of its own, cut to the note's length.

    The synth plays the buffer of its control ``bufnum`` and writes mono to bus 0 (or to its
    ``out``); each note has values of its other controls, and a seed of its random numbers (0).
    """
    notes, samples = audio.shape
    slot = math.ceil(samples / SAMPLE_RATE)
    seeds = [0] * notes if seeds is None else seeds
    with tempfile.TemporaryDirectory(prefix="reverbsynth-") as folder:
        names = ("in.wav", "score.osc", "out.wav", "seed.scsyndef", "effect.scsyndef")
        source, score, output, *synthdefs = (Path(folder, name) for name in names)
        soundfile.write(source, audio.reshape(-1), SAMPLE_RATE, "FLOAT")
        synthdefs[0].write_bytes(SynthDef.shipped("reverbsynth_seed").content)
        synthdefs[1].write_bytes(synthdef.content)
        with open(score, "wb") as file:
            file.write(_bundle(0, *(("/d_load", str(path)) for path in synthdefs)))
            for number in range(notes):
                arguments = _arguments(synthdef, controls[number])
                messages = (
                    ("/g_freeAll", 0),
                    ("/g_new", _GROUP, _HEAD, 0),
                    ("/b_allocRead", _BUFFER, str(source), number * samples, samples),
                    ("/s_new", "reverbsynth_seed", -1, _TAIL, _GROUP, "seed", seeds[number]),
                    ("/s_new", synthdef.name, -1, _TAIL, _GROUP, *arguments),
                )
                file.write(_bundle(number * slot, *messages))
            file.write(_bundle(notes * slot, ("/g_freeAll", 0)))
        options = f"-D 0 -i 0 -o 1 -m {MEMORY} -N".split()
        paths = [str(score), "_", str(output), str(SAMPLE_RATE), "WAV", "float"]
        printed = _run(options + paths, timeout=120 + 30 * notes)
        for line in printed.splitlines():
            if any(word in line for word in ("FAILURE", "ERROR", "exception", "alloc failed")):
                raise ReverbSynthError(f"scsynth: {synthdef.name}: {line.strip()}")
        try:
            wave, _ = soundfile.read(output, notes * slot * SAMPLE_RATE, dtype="float32")
            return wave.reshape(notes, -1)[:, :samples]
        except (soundfile.LibsndfileError, ValueError):
            reason = " ".join(printed.split()) or "no message"
            raise ReverbSynthError(f"scsynth: {synthdef.name}: no output ({reason})") from None


def _arguments(synthdef: SynthDef, controls: Controls) -> tuple:
    """Names and values for ``/s_new``; a control of several values takes an OSC array."""
    arguments: tuple = ()
    for name, value in {"bufnum": _BUFFER, "out": 0, **controls}.items():
        if name in synthdef.controls:
            if not isinstance(value, int):
                value = np.squeeze(np.asarray(value, np.float32)).tolist()
            arguments += (name, value)
    return arguments


def _bundle(seconds: float, *messages: tuple) -> bytes:
    """OSC messages for one moment of the score, with their length."""
    # Its annotation says int, but it takes any time.
    bundle = OscBundleBuilder(ntp_time_to_system_epoch(seconds))  # type: ignore[arg-type]
    for address, *arguments in messages:
        bundle.add_content(build_msg(address, arguments))
    content = bundle.build().dgram
    return struct.pack(">i", len(content)) + content


def _run(arguments: list[str], timeout: float) -> str:
    """Run scsynth, and return what it prints."""
    program = find_scsynth()
    if program is None:
        raise ReverbSynthError(f"scsynth: not found, {INSTALL}")
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReverbSynthError(f"{program}: did not run ({error})") from None
    if done.returncode != 0:
        reason = " ".join(done.stdout.split()) or f"exit status {done.returncode}"
        raise ReverbSynthError(f"{program}: failed ({reason})")
    return done.stdout
