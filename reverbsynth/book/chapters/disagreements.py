"""Chapter 10: what the original's choices come to, where paper, code and figures disagree."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.book.captions import listed
from reverbsynth.book.style import DRY, GENERATED, REAL, WET, canvas, style
from reverbsynth.effects.reverb import Reverb
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.claims import BEYOND, judge
from reverbsynth.evaluation.effect_transfer import TransferTrials
from reverbsynth.evaluation.report import Report, Verdict
from reverbsynth.evaluation.seeds import together
from reverbsynth.gan.schedule import LAST_STAGE, Schedule, is_transition, stage_resolution
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

LABELS = pd.read_csv(Path(__file__).with_name("labels.csv"))
"""Notes of GANSynth's part of NSynth at each pitch, from ``ReverbSynthDataset.get_pitch_counts`` of
the authors' fork of Magenta, which draws labels by it.
"""

EXAMPLE_GAIN = 0.2  #: of batchNRT's example where none is given, as in the published script

_EVIDENCE = {  # chapters with the evidence of a claim, where it is not the one on evaluation
    "losses": "04_training.ipynb",
    "representation": "02_if_mel.ipynb",
    "label": "09_effects.ipynb#the-paired-test",
    "dial": "09_effects.ipynb#a-dial-not-only-a-switch",
}
_LEVEL_BAND = (50.0, 7500.0)  # Hz between which levels of a reverb's spectrum are compared
_DRAWN_BAND = (100.0, 300.0)  # Hz that are drawn: notches lie too close together for more


def schedules(variants: Mapping[str, Settings]) -> pd.DataFrame:
    """Images seen at the end of each stable stage, to the last, under several settings by name."""
    stages = [stage for stage in range(LAST_STAGE + 1) if not is_transition(stage)]
    sizes = ["{} × {}".format(*stage_resolution(stage)) for stage in stages]
    columns: dict[str, list] = {"frames × bins": sizes}
    for name, settings in variants.items():
        whole = {"last_stage": LAST_STAGE, "stage_images": None}
        schedule = Schedule.of(settings.training.model_copy(update=whole))
        columns[name] = [schedule.span(stage)[1] for stage in stages]
    return pd.DataFrame(columns, index=pd.Index(stages, name="stage"))


def label_coverage(pitches: Sequence[int]) -> Markdown:
    """What labels drawn from all of NSynth ask of a network that hears only ``pitches``."""
    drawn, total = LABELS["pitch"], LABELS["notes"].sum()
    shares = LABELS["notes"] / total
    unknown = shares[~drawn.isin(pitches)].sum()
    return Markdown(
        f"The histogram counts {total:,} notes at {len(shares)} pitches and has its "
        f"mean at {drawn @ shares:.1f}. The training notes of this page lie between {min(pitches)} "
        f"and {max(pitches)}, with a mean of {np.mean(pitches):.1f}: of labels drawn from that "
        f"histogram, {unknown:.0%} name a pitch that none of these notes has, and "
        f"{shares[drawn > max(pitches)].sum():.0%} one above them all."
    )


def example_reverb(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Impulse responses [shape=(64000,)] of a chain of four allpass filters, and of batchNRT's
    example: each filter has two delays, which makes two chains; their sum is scaled by the gain.
    """
    one = Reverb(seed=seed).impulse_response()
    other = Reverb(seed=seed, delays="note").impulse_response("2")
    return one, EXAMPLE_GAIN * (one + other)


def level(response: np.ndarray, band: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies of a band in Hz and the level of an impulse response at them, in dB."""
    hz = np.fft.rfftfreq(len(response), 1 / SAMPLE_RATE)
    db = 20 * np.log10(np.abs(np.fft.rfft(response)) + 1e-9)
    inside = (hz >= band[0]) & (hz <= band[1])
    return hz[inside], db[inside]


def coloured() -> Markdown:
    """What batchNRT's pair of chains does to a spectrum that a single chain leaves alone."""
    one, pair = (level(response, _LEVEL_BAND)[1] for response in example_reverb())
    off = np.percentile(np.abs(one), 90)
    pair_low, pair_high = np.percentile(pair, [5, 95])
    return Markdown(
        f"A single chain passes all frequencies alike: nine tenths of its spectrum are within "
        f"{max(off, 0.1):.1f} dB of the input's. For the sum of two, nine tenths lie between "
        f"{pair_low:.0f} and {pair_high:.0f} dB, a dense comb of peaks and notches, at a mean "
        f"power of {10 * np.log10(np.mean(10 ** (pair / 10))):.0f} dB. Such twins differ from "
        "their notes in colour and in loudness before anything lasts longer."
    )


def claims(report: Report) -> Markdown:
    """What the paper claims, a verdict on each, and the chapter with the evidence."""
    return _claims_table([_row(each) for each in report.verdicts if each.source != BEYOND])


def asked_for(report: Report, run: Run, trials: TransferTrials) -> Markdown:
    """What the paper's conclusion asks for, likewise; the effect for recordings among it."""
    rows = [_row(verdict) for verdict in report.verdicts if verdict.source == BEYOND]
    bootstrap = Bootstrap.of(run.settings.evaluation, run.settings.seed)
    nearer = [
        np.array([t.spectrum("network") < t.spectrum("nothing") for t in each.trials], bool)
        for each in (trials, *trials.seeds)
    ]
    origins = np.array([trial.origin for trial in trials.trials], object)
    shares = [bootstrap.proportion(of_seed, origins) for of_seed in nearer]
    share = together(shares) if trials.seeds else shares[0]
    evidence = (
        "[chapter 9](09_effects.ipynb#learned-reverb-for-a-recording): in "
        f"{listed([of_seed.sum() for of_seed in nearer])} of {len(nearer[0])} trials"
        f"{' of each seed' if trials.seeds else ''}, all with held-out notes of the data set, the "
        "result is nearer to the true twin than the note left as it was (in %: "
        f"{share.text(1, 100)}; rule: at least half)"
    )
    wish = "The effect can be applied to existing recordings."
    return _claims_table([*rows, (wish, f"**{judge(share, 0.5, 1.0)}**", BEYOND, evidence)])


def untold(recipes: pd.DataFrame) -> Markdown:
    """What a network plays that is not told the effect, by the table of recipes."""
    found = [
        recipes[recipes["recipe"].str.contains(name)].iloc[:1]
        for name in ("not told the effect", "^real notes")
        if "heard_wet" in recipes
    ]
    if not found or any(row.empty for row in found):
        return Markdown("No training without a label for the effect is kept with this book.")
    network, real = (row.iloc[0] for row in found)
    return Markdown(
        "Two claims are about a network that is not told the effect. There is one in the table, "
        f"*{network['recipe']}*: in {network['heard_wet']:.0f} % of its {network['notes']:.0f} "
        f"notes the classifier hears the effect (of real notes through an image, in "
        f"{real['heard_wet']:.0f} %). {_by_what_is_heard(network, real)}It is a single training "
        "of a few minutes, without intervals, so no verdict follows."
    )


def _by_what_is_heard(network: pd.Series, real: pd.Series) -> str:
    """Median tails without and with the effect; of a network that plays only one kind, nothing."""
    tails = [[row[f"tail_{effect}"] for effect in ("dry", "reverb")] for row in (network, real)]
    if pd.isna(tails[0]).any():
        return ""
    ours, theirs = (" and ".join(f"{tail:.1f}" for tail in each) for each in tails)
    return f"By what is heard, its tails without and with it are at {ours} dB (real: {theirs}). "


def _row(verdict: Verdict) -> tuple[str, str, str, str]:
    page = _EVIDENCE.get(verdict.key, "08_evaluation.ipynb")
    found = re.sub(r"([^;\s][^;]* — (?:missed|undecided))", r"**\1**", verdict.evidence)
    evidence = f"[chapter {int(page[:2])}]({page}): {found}"
    return verdict.claim, f"**{verdict.verdict}**", verdict.source, evidence


def _claims_table(rows: Sequence[tuple[str, str, str, str]]) -> Markdown:
    rows = [("claim", "verdict", "of", "evidence"), ("---",) * 4, *rows]
    escaped = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return Markdown("\n".join(f"| {row} |" for row in escaped))


@style()
def label_histograms(pitches: Sequence[int]) -> Figure:
    """Pitches that the original asks of its generator, and those of the training notes."""
    figure, axes = canvas(1, 1, 2.4)
    lines = {
        "training notes of this page": (*np.unique(pitches, return_counts=True), REAL),
        "labels of the original": (LABELS["pitch"], LABELS["notes"], GENERATED),
    }
    for name, (pitch, count, color) in lines.items():
        axes[0, 0].step(pitch, 100 * count / count.sum(), where="mid", color=color, label=name)
    axes[0, 0].set(xlabel="MIDI pitch", ylabel="share (%)", ylim=(0, None))
    axes[0, 0].legend()
    return figure


@style()
def allpass_chains() -> Figure:
    """The level of one chain of allpass filters, and of the example's two."""
    figure, axes = canvas(1, 1, 2.4)
    names = {"one chain, as in this book": WET, "the example's sum of two": DRY}
    for response, (name, color) in zip(example_reverb(), names.items(), strict=True):
        axes[0, 0].plot(*level(response, _DRAWN_BAND), color=color, linewidth=1, label=name)
    axes[0, 0].set(xlabel="frequency (Hz)", ylabel="level (dB)", ylim=(-45, 6))
    axes[0, 0].legend(loc="lower right")
    return figure
