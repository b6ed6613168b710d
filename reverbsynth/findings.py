"""Tables and sentences whose numbers come from a data set or a run, never from a text."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from IPython.display import Markdown

from reverbsynth.data import DataSet
from reverbsynth.data.effects import Effect
from reverbsynth.data.measure import decay_by_octave, decay_time, impulse_response
from reverbsynth.evaluation.mel_scale import mel_centers, mel_formula
from reverbsynth.gan.networks import Discriminator, Generator, Row
from reverbsynth.gan.stages import is_transition, stage_resolution
from reverbsynth.runs import Run, curve_names
from reverbsynth.settings import SAMPLE_RATE, GanSettings, SpectraSettings
from reverbsynth.spectra import Representation
from reverbsynth.spectra.stft import N_FFT

_SHARE = 10
"""A run's beginning and end: its first and last tenth."""

_STEPS = "steps"
"""Column of thinned metrics: steps that a row is the mean of."""


def changes(run: Run) -> pd.DataFrame:
    """Mean of each curve over the first and the last tenth of its measurements.

    Returns
    -------
    DataFrame
        One row a curve: ``first``, ``last`` and ``change``.
    """
    metrics, rows = run.metrics(), {}
    steps = _steps(metrics)
    for column, name in curve_names(run.labels).items():
        known = metrics[column].notna()
        values, weights = metrics.loc[known, column].to_numpy(), steps[known].to_numpy()
        first = _mean_of_first(values, weights)
        last = _mean_of_first(values[::-1], weights[::-1])
        rows[name] = {"first": first, "last": last, "change": last - first}
    frame = pd.DataFrame(rows).T
    frame.index.name = "curve"
    return frame


def learned(run: Run) -> Markdown:
    """Which curves fell from a run's first tenth to its last, and by how much."""
    table = changes(run)
    fell = [_fall(name, row) for name, row in table.iterrows() if row["change"] < 0]
    rose = [name for name, row in table.iterrows() if row["change"] >= 0]
    chance = np.log(len(run.labels["pitch"]))
    last = table.loc["real AC loss", "last"]
    sentences = [
        f"From the first tenth of the run to the last, {len(fell)} of {len(table)} curves fell: "
        + _listed(fell)
        + "."
    ]
    if rose:
        sentences.append(f"The others did not: {_listed(rose)}.")
    sentences.append(
        f"A critic that guesses among {len(run.labels['pitch'])} pitches has an AC loss of "
        f"ln {len(run.labels['pitch'])} = {chance:.2f}; on real notes this one ends at {last:.2f}."
    )
    metrics = run.metrics().assign(steps=_steps)
    best = metrics.groupby("stage")[["real_pitch_loss", _STEPS]].apply(
        lambda part: np.average(part["real_pitch_loss"], weights=part[_STEPS])
    )
    sentences.append(
        f"Averaged over whole stages it was lowest in stage {best.idxmin()}, at {best.min():.2f}."
    )
    return Markdown(" ".join(sentences))


def history(run: Run) -> pd.DataFrame:
    """What each stage of a run did: resolution, images, steps and seconds."""
    metrics, rows, before = run.metrics(), {}, 0.0
    for stage, part in metrics.groupby("stage"):
        frames, bins = stage_resolution(int(stage))
        rows[int(stage)] = {
            "kind": "blends in" if is_transition(int(stage)) else "stable",
            "resolution": f"{frames}×{bins}",
            "steps": int(_steps(part).sum()),
            "images seen at its end": int(part["images"].iloc[-1]),
            "seconds": part["seconds"].iloc[-1] - before,
        }
        before = part["seconds"].iloc[-1]
    frame = pd.DataFrame(rows).T.infer_objects()
    frame.index.name = "stage"
    return frame


def run_facts(run: Run) -> pd.DataFrame:
    """The manifest of a run, for people."""
    manifest = run.manifest
    facts = {
        "preset": manifest["preset"],
        "settings": manifest["settings_hash"],
        "seed": str(manifest["seed"]),
        "commit": manifest["commit"],
        "data (SHA-256)": manifest["data_sha256"],
        "labels": _listed([f"{name} ({len(values)})" for name, values in run.labels.items()]),
        "images seen": f"{manifest['images_seen']:,}",
        "training time": f"{manifest['wall_seconds']:,.0f} s",
        "backend and device": f"{manifest.get('backend', '?')}, {manifest.get('device', '?')}",
        "versions": _listed([f"{name} {found}" for name, found in manifest["versions"].items()]),
    }
    return _facts(facts)


def lost(losses: pd.DataFrame) -> Markdown:
    """What `compare_representations` found, in a sentence or two."""
    mel, linear = losses.loc["IF-Mel"], losses.loc["linear IF"]
    return Markdown(
        f"On a linear scale the waveform itself comes back ({linear['SNR (dB)']:.0f} dB); on the "
        f"mel scale it does not ({mel['SNR (dB)']:.1f} dB), because phase that was projected to "
        "mel cannot be projected back exactly. What an ear holds on to survives better: the "
        f"spectrum is off by {mel['log-spectral distance (dB)']:.1f} dB, the pitch by "
        f"{mel['pitch error (cents)']:.2f} cents, and the time in which the tail falls by 20 dB by "
        f"{mel['change of decay (ms)']:.0f} ms. So generated notes are judged by pitch, decay "
        "and spectrum in this book, never by their waveform."
    )


def mel_scale() -> Markdown:
    """How far the mel matrix is from the mel formula."""
    formula, matrix = mel_formula(), mel_centers()
    half = len(formula) // 2
    apart = np.abs(matrix / formula - 1) > 0.01
    meets = int(np.flatnonzero(apart)[-1]) + 1
    spacing = (matrix[meets] - matrix[0]) / meets
    return Markdown(
        f"By the formula, half of the bins would lie below {formula[half]:,.0f} Hz; in the matrix "
        f"they lie below {matrix[half]:,.0f} Hz, because each widened band pushes the next one up. "
        f"Up to {matrix[meets]:,.0f} Hz, where matrix and formula meet, the bins are evenly "
        f"spaced, {spacing:.1f} Hz apart; those of the STFT are {SAMPLE_RATE / N_FFT:.1f} Hz "
        "apart. *Mel* in IF-Mel is a name more than a scale, and it resolves low harmonics "
        "hardly better than a linear scale does."
    )


def data_counts(data: DataSet) -> pd.DataFrame:
    """Clips in each split, by effect, and the source notes behind them."""
    rows = {}
    for split in data.splits:
        index = data.index(split)
        effects = {
            effect: sum(row["effect"] == effect for row in index)
            for effect in data.vocabulary("effect")
        }
        rows[split] = {"source notes": len({row["origin"] for row in index}), **effects}
        rows[split]["clips"] = len(index)
    frame = pd.DataFrame(rows).T
    frame.index.name = "split"
    return frame


def data_facts(data: DataSet) -> pd.DataFrame:
    """The manifest of a data set, for people."""
    pitches = data.vocabulary("pitch")
    facts = {
        "settings of the data": data.settings_hash,
        "pitches": f"{pitches[0]} to {pitches[-1]}",
        "instruments": _listed(data.vocabulary("instrument")),
        "effects": _listed(
            [f"{effect['name']} ({effect['engine']})" for effect in data.manifest["effects"]]
        ),
        **{
            f"{name} (SHA-256)": f"{file['sha256']}, {file['bytes']:,} bytes"
            for name, file in data.manifest["files"].items()
        },
    }
    return _facts(facts)


def decay_times(effects: Mapping[str, Effect]) -> pd.DataFrame:
    """Seconds in which each effect's impulse response falls by 60 dB, whole and by octave.

    From the fall between -5 and -25 dB (T20, ISO 3382-1), as `reverbsynth.data.measure` takes it;
    nothing where the response does not fall that far, or at once.
    """
    rows = {}
    for name, effect in effects.items():
        response = impulse_response(effect)
        octaves = {f"{hz:g} Hz": seconds for hz, seconds in decay_by_octave(response).items()}
        rows[name] = {"whole": decay_time(response), **octaves}
    frame = pd.DataFrame(rows)
    frame.index.name = "band"
    return frame


def network_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of ``Generator.table()`` or ``Discriminator.table()`` as a table."""
    frame = pd.DataFrame(
        {
            "block": [row.block for row in rows],
            "layer": [row.layer for row in rows],
            "output": [" × ".join(f"{size:,}" for size in row.output) for row in rows],
            "parameters": [row.parameters for row in rows],
        }
    )
    total = pd.DataFrame(
        {"block": [""], "layer": ["total"], "output": [""], "parameters": [sum(frame.parameters)]}
    )
    return pd.concat([frame, total], ignore_index=True)


def network_sizes(sizes: Mapping[str, tuple[GanSettings, int]]) -> pd.DataFrame:
    """Parameters of both networks after the paper's last stage and after the very last.

    Parameters
    ----------
    sizes : dict
        By name, the networks' settings and the number of pitches.
    """
    representation = Representation(SpectraSettings())
    rows = [
        {
            "configuration": name,
            "stage": stage,
            "generator": Generator(gan, pitches, stage).parameters(),
            "discriminator": Discriminator(
                gan, {"pitch": pitches}, representation, stage
            ).parameters(),
        }
        for name, (gan, pitches) in sizes.items()
        for stage in (8, 12)
    ]
    return pd.DataFrame(rows)


def checked(waves: np.ndarray) -> pd.DataFrame:
    """Whether generated notes [shape=(n, samples)] are what notes must be."""
    frame = pd.DataFrame(
        {
            "samples": [len(wave) for wave in waves],
            "seconds": [len(wave) / SAMPLE_RATE for wave in waves],
            "finite": ["yes" if np.isfinite(wave).all() else "no" for wave in waves],
            "peak": np.abs(waves).max(axis=1),
            "RMS (dB of full scale)": 10 * np.log10(np.mean(np.square(waves), axis=1) + 1e-12),
        },
        index=range(1, len(waves) + 1),
    )
    frame.index.name = "note"
    return frame


def _steps(metrics: pd.DataFrame) -> pd.Series:
    """Steps that each row stands for: one, but in a results bundle."""
    return metrics.get(_STEPS, pd.Series(1, index=metrics.index))


def _mean_of_first(values: np.ndarray, weights: np.ndarray) -> float:
    """Mean over the first tenth of all steps."""
    wanted = max(weights.sum() // _SHARE, 1)
    before = np.cumsum(weights) - weights
    return float(np.average(values, weights=np.clip(wanted - before, 0, weights)))


def _facts(facts: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"": list(facts), " ": list(facts.values())})


def _fall(name: str, row: pd.Series) -> str:
    text = f"the {name} from {row['first']:.3g} to {row['last']:.3g}".replace(" -", " −")
    if row["last"] > 0:
        text += f" (by {1 - row['last'] / row['first']:.0%})"
    return text


def _listed(words: Sequence[str]) -> str:
    words = list(map(str, words))
    if len(words) < 2:
        return "".join(words) or "none"
    return ", ".join(words[:-1]) + " and " + words[-1]
