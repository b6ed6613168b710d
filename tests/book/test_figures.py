"""Figures, captions, players and sentences, on runs and notes whose numbers are known."""

import json
import re
from pathlib import Path
from typing import ClassVar

import nbformat
import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib.figure import Figure
from PIL import Image

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.book import spectrograms, style
from reverbsynth.book.bundle import thinned
from reverbsynth.book.captions import Origin, show, table
from reverbsynth.book.chapters import dataset, if_mel, losses, networks, synthesis, training
from reverbsynth.book.chapters.losses import label_curves
from reverbsynth.book.chapters.stages import StageFigures
from reverbsynth.book.players import MEDIA, Players, Sound
from reverbsynth.book.style import note_name
from reverbsynth.book.verdicts import sounds_like
from reverbsynth.data.notes import Note
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report, Row, Verdict
from reverbsynth.gan.schedule import RecordedSchedule, Schedule
from reverbsynth.provenance import REPOSITORY, commit, commit_address
from reverbsynth.settings import GanSettings, Settings
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, for files beside the page."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(tmp_path) -> Run:
    """A run of two stages with metrics and samples that were made up."""
    settings = Settings.preset("tiny")
    steps = np.arange(40)
    rising, falling = 1 + steps / 40, 3 - steps / 40
    rare = np.where(steps % 5 == 0, falling, np.nan)
    columns = {
        "images": 8 * (steps + 1),
        "stage": np.where(steps < 30, 0, 1),
        "seconds": 0.5 * (steps + 1),
        "discriminator_wasserstein": -rising,
        "generator_wasserstein": rising,
        "gradient_penalty": falling,
        "fake_pitch_loss": rising,
        "real_pitch_loss": falling,
        "fake_consistency": rare,
        "real_consistency": rare,
    }
    directory = tmp_path / "tiny-run"
    manifest = {
        "commit": "abc123",
        "preset": "tiny",
        "settings_hash": settings.hash,
        "seed": 0,
        "data_sha256": "0" * 64,
        "vocabulary": [["pitch", [36, 37, 38]]],
        "images_seen": 320,
        "wall_seconds": 20.0,
        "versions": {"python": "3.11"},
        "finished": True,
    }
    made = Run(directory, settings, manifest)
    directory.mkdir()
    pd.DataFrame(columns).to_csv(made.metrics_path, index=False)
    images = np.random.default_rng(0).normal(size=(2, 4, 32, 2)).astype(np.float32)
    labels = json.dumps({"pitch": [36, 38]})
    samples = {"real": images, "generated": images + 1, "labels": labels}
    made.save_stage(1, {"w": np.zeros(1, np.float32)}, samples)
    return made


class TestStyle:
    def test_the_same_thing_has_the_same_colour_everywhere(self):
        effects = ["dry", "reverb", "chorus", "delay"]
        colours = [style.effect_color(effect, effects) for effect in effects]
        assert colours[:2] == [style.DRY, style.WET]
        assert len(set(colours)) == len(effects)
        assert style.effect_color("chorus", list(reversed(effects))) != style.DRY

    def test_stages_run_from_dark_to_light(self):
        light = [
            np.dot(style.stage_color(stage)[:3], (0.2126, 0.7152, 0.0722)) for stage in range(13)
        ]
        assert np.all(np.diff(light) > 0.01)

    def test_drawing_leaves_matplotlib_as_it_was(self):
        import matplotlib as mpl

        before = dict(mpl.rcParams)
        losses.stage_legend(8)
        assert dict(mpl.rcParams) == before

    def test_a_reader_s_matplotlibrc_changes_no_figure(self):
        import matplotlib as mpl

        with mpl.rc_context({"axes.facecolor": "red", "font.family": "monospace"}):
            (ax,) = losses.stage_legend(8).axes
        assert ax.get_facecolor() == (1, 1, 1, 1)
        assert ax.get_legend().get_texts()[0].get_fontfamily() == ["sans-serif"]

    def test_notes_are_named_as_musicians_do(self):
        assert note_name(36) == "C2 (36)"
        assert note_name(69) == "A4 (69)"


class TestAxes:
    @pytest.mark.parametrize("hz", [220.0, 1000.0, 3000.0])
    @pytest.mark.parametrize("kind", ["mel", "linear"])
    def test_a_tone_lies_where_the_frequency_axis_says(self, hz, kind):
        settings = Settings().spectra.model_copy(update={"representation": kind})
        tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(NOTE_LENGTH) / SAMPLE_RATE)
        image = Representation(settings).encode_all(tone[None].astype(np.float32))[0]
        found = image[60, :, 0].argmax()
        assert abs(found - spectrograms.bin_of(hz, kind)) <= 2

    def test_a_click_lies_where_the_time_axis_says(self):
        click = np.zeros((1, NOTE_LENGTH), np.float32)
        click[0, 2 * SAMPLE_RATE] = 1
        image = Representation(Settings().spectra).encode_all(click)[0]
        frame = image[:, :, 0].mean(axis=1).argmax()
        assert abs(spectrograms.frame_time(frame) - 2) < 512 / SAMPLE_RATE

    def test_level_of_a_full_scale_sine_is_minus_3_db(self):
        sine = np.sin(2 * np.pi * 100 * np.arange(NOTE_LENGTH) / SAMPLE_RATE)
        assert dataset.level(sine)[NOTE_LENGTH // 2] == pytest.approx(-3.01, abs=0.02)

    def test_moving_average_is_the_mean_of_its_neighbours(self):
        values = np.random.default_rng(0).normal(size=37)
        half = 3 // 2 + 1
        wanted = [values[max(i - half, 0) : i + half + 1].mean() for i in range(37)]
        np.testing.assert_allclose(losses.moving_average(values), wanted, atol=1e-12)


def pictures() -> dict[str, Figure]:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 128, 1024, 2)).astype(np.float32)
    waves = {effect: rng.normal(size=NOTE_LENGTH) / 10 for effect in ("dry", "reverb", "echo")}
    metrics = pd.DataFrame({"images": [8, 16, 24], "stage": [0, 0, 1], "loss": [1.0, np.nan, 2.0]})
    index = {"train": [{"pitch": 36}, {"pitch": 38}], "valid": [{"pitch": 36}], "test": []}
    return {
        "magnitude": spectrograms.image_row(images, ["a", "b"], "magnitude"),
        "frequency": spectrograms.image_row(images, ["a", "b"], "frequency", "linear"),
        "unwrapping": if_mel.unwrapping(*rng.normal(size=(3, 128))),
        "mel": if_mel.mel_bands(),
        "pitches": dataset.pitch_counts(index),
        "twins": dataset.note_and_twins(waves),
        "schedule": training.schedule_figure(Schedule.of(Settings().training)),
        "course": training.schedule_figure(RecordedSchedule((8, 16, 300))),
        "rows": spectrograms.two_rows({"a": images, "b": images}, ["x", "y"], "mel", (-1, 1)),
        "legend": losses.stage_legend(12),
        "curve": losses.curve(metrics, "loss", "loss", log=True),
        "parameters": networks.parameters_by_stage(GanSettings(filters_max=2), 3),
    }


def test_axes_that_hold_numbers_say_what_they_are():
    for name, figure in pictures().items():
        assert figure.axes, name
        for ax in figure.axes:
            if not ax.axison or not ax.has_data():
                continue
            shared = [other for other in figure.axes if other.get_ylabel()]
            assert shared, f"{name}: no vertical axis has a label"
            assert any(other.get_xlabel() for other in figure.axes) or figure._supxlabel, name


class TestCaptions:
    def test_every_caption_ends_with_where_it_came_from(self, here, run):
        shown = show(losses.stage_legend(8), "**Figure 17.** <Stages>", run, "f17", alt='a "b"')
        text = shown._repr_html_()
        line = Origin.of(run).line
        assert text.endswith(f"{Origin.of(run).html}</small></figcaption></figure>")
        assert re.sub("<[^>]+>", "", text).endswith(line)
        for part in (run.directory.name, "tiny", run.settings.hash, "abc123"):
            assert part in line
        assert line.endswith("A smoke run, not a result.")
        assert "<strong>Figure 17.</strong> &lt;Stages&gt;" in text
        assert 'alt="a &quot;b&quot;"' in text
        assert str(shown).endswith(line)

    def test_it_links_settings_and_commits(self, here, run):
        text = show(losses.stage_legend(8), "**F.**", run, "f17", alt="a")._repr_html_()
        (settings,) = re.findall(r'href="(media/[^"]+)"', text)
        assert Settings.load(here / settings).hash == run.settings.hash
        commits = re.findall(r'href="([^"]+/commit/[^"]+)"', text)
        assert commits[0] == f"{REPOSITORY}/commit/abc123"
        assert all("+" not in address for address in commits)

    def test_without_a_checkout_no_commit_is_linked(self):
        assert commit_address("unknown") is None

    def test_only_smoke_runs_are_called_so(self):
        assert "smoke" not in Origin.of(Settings.preset("paper")).line
        assert "smoke" in Origin.of(Settings.preset("tiny")).line

    def test_a_figure_drawn_at_another_commit_says_so(self, run):
        assert f"drawn at commit {commit()}" in Origin.of(run).line
        assert "drawn at" not in Origin.of(Settings.preset("paper")).line

    def test_the_picture_carries_its_provenance(self, here, run):
        show(losses.stage_legend(8), "**Figure 17.**", run, "f17", alt="a")
        with Image.open(MEDIA / "f17.png") as picture:
            assert picture.info["Source"] == Origin.of(run).line
            assert picture.info["Title"] == "Figure 17."

    def test_tables_show_numbers_and_escape_text(self, here, run):
        frame = pd.DataFrame({"name": ["<a>"], "count": [12_345], "share": [0.126], "x": [np.nan]})
        text = table(frame, "**Table.**", run, "t")._repr_html_()
        assert "<td>&lt;a&gt;</td>" in text
        assert ">12,345</td>" in text
        assert ">0.13</td>" in text
        assert '<td class="rs-number"></td>' in text
        assert Origin.of(run).html in text


class TestPlayers:
    def test_sounds_are_as_loud_in_the_file_as_in_the_array(self, here):
        wave = 0.25 * np.sin(np.arange(NOTE_LENGTH) / 20).astype(np.float32)
        text = Players("sine", [Sound("a sine", wave)])._repr_html_()
        stored, rate = soundfile.read(MEDIA / "sine-1.wav", dtype="float32")
        assert rate == SAMPLE_RATE
        np.testing.assert_allclose(stored, wave, atol=1 / 32768)
        assert 'src="media/sine-1.wav"' in text
        assert 'preload="none"' in text
        assert "controls" in text
        assert "clipped" not in text

    def test_what_clips_says_so(self, here):
        text = Players("loud", [Sound("loud", np.array([0.0, 2.0, -3.0]))])._repr_html_()
        assert "loud (clipped)" in text
        stored, _ = soundfile.read(MEDIA / "loud-1.wav")
        np.testing.assert_allclose(stored, [0, 1, -1], atol=1e-4)

    def test_labels_are_text(self, here):
        text = Players("x", [Sound('<b> & "c"', np.zeros(4))])._repr_html_()
        assert "<b>" not in text
        assert "&lt;b&gt; &amp; &quot;c&quot;" in text

    def test_colab_gets_the_sound_itself(self, here, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "google.colab", object())
        text = Players("x", [Sound("x", np.zeros(4))])._repr_html_()
        assert 'src="data:audio/wav;base64,UklGR' in text

    def test_a_sound_that_is_not_finite_is_still_a_file(self, here):
        Players("x", [Sound("x", np.array([np.nan, 0.5], np.float32))])
        stored, _ = soundfile.read(MEDIA / "x-1.wav")
        np.testing.assert_allclose(stored, [0, 0.5], atol=1e-4)


class TestFindings:
    def test_changes_compare_the_first_tenth_with_the_last(self, run):
        changes = training.changes(run)
        row = changes.loc["real AC loss"]
        values = run.metrics()["real_pitch_loss"]
        assert row["first"] == pytest.approx(values[:4].mean())
        assert row["last"] == pytest.approx(values[-4:].mean())
        assert row["change"] == pytest.approx(row["last"] - row["first"])
        assert len(changes) == 7

    def test_sentences_say_what_fell_and_what_did_not(self, run):
        text = training.curves_that_fell(run).data
        changes = training.changes(run)
        fell = [name for name, row in changes.iterrows() if row["change"] < 0]
        assert f"{len(fell)} of 7 curves fell" in text
        first, rest = text.split("fell: ", 1)[1].split("The others did not: ")
        assert all(name in first for name in fell)
        assert all(name in rest for name in changes.index if name not in fell)
        share = 1 - changes.loc["real AC loss", "last"] / changes.loc["real AC loss", "first"]
        assert f"(by {share:.0%})" in first
        assert "ln 3 = 1.10" in text

    def test_consistency_is_measured_only_now_and_then(self, run):
        measured = run.metrics()["fake_consistency"].dropna()
        assert training.changes(run).loc["fake GL loss", "first"] == measured.iloc[0]

    def test_thinned_metrics_tell_the_same(self, run):
        whole = (
            training.changes(run),
            training.stage_history(run),
            training.curves_that_fell(run).data,
        )
        metrics = run.metrics()
        # Made to divide evenly: forty steps in tens and fives, a tenth being four.
        thinned(metrics, rows=15).to_csv(run.metrics_path, index=False)
        few = training.changes(run)
        assert training.stage_history(run)["steps"].tolist() == whole[1]["steps"].tolist()
        assert training.stage_history(run)["seconds"].tolist() == whole[1]["seconds"].tolist()
        dense = [name for name in few.index if "GL" not in name]
        np.testing.assert_allclose(few.loc[dense], whole[0].loc[dense], rtol=1e-6)

    def test_history_adds_up(self, run):
        history = training.stage_history(run)
        assert list(history.index) == [0, 1]
        assert history["steps"].sum() == len(run.metrics())
        assert history["seconds"].sum() == pytest.approx(run.metrics()["seconds"].iloc[-1])

    def test_notes_are_checked(self):
        waves = np.stack([np.zeros(100), np.full(100, 0.5)]).astype(np.float32)
        waves[0, 0] = np.nan
        frame = synthesis.written_files(waves)
        assert frame["finite"].tolist() == ["no", "yes"]
        assert frame.loc[2, "peak"] == 0.5
        assert frame.loc[2, "RMS (dB of full scale)"] == pytest.approx(-6.02, abs=0.01)

    def test_a_manifest_is_shown_whole(self, run):
        facts = training.run_facts(run)
        assert run.manifest["data_sha256"] in facts.iloc[:, 1].tolist()


class TestStageFigures:
    def test_magnitude_and_frequency_share_their_sounds(self, here, run):
        figures = StageFigures(run, 1)
        shown = [figures.show(n, 1, "real", c) for n, c in ((1, "magnitude"), (9, "frequency"))]
        assert all('src="media/stage-01-real-1.wav"' in each._repr_html_() for each in shown)
        assert sorted(path.name for path in MEDIA.glob("*.wav")) == ["stage-01-real-1.wav"]
        assert "Figure 9 (paper). Stage 1, real notes" in shown[1]._repr_html_()

    def test_a_stage_that_a_run_has_not_is_left_out_in_words(self, here, run):
        text = StageFigures(run).show(7, 8, "real", "magnitude").data
        assert "has no stage 8" in text
        assert 'id="figure-07"' in text  # links to it still lead somewhere

    def test_every_stage_is_a_slide(self, here, run):
        text = StageFigures(run, 2).slider("slider")._repr_html_()
        assert text.count('class="rs-slide"') == len(run.stages)
        assert text.count("<audio") == 2 * 2 * len(run.stages)
        assert 'data-kind="slider" data-what="Stage" data-start="0"' in text
        assert 'data-label="stage 1: blending in 4×32"' in text
        for source in re.findall(r'src="([^"]+)"', text):
            assert (here / source).is_file()


class TestToggles:
    def notes(self) -> list[dict[str, Note]]:
        rng = np.random.default_rng(0)
        return [
            {
                effect: Note(
                    f"{pitch}/{effect}", rng.normal(size=NOTE_LENGTH).astype(np.float32) / 10, pitch
                )
                for effect in ("dry", "reverb")
            }
            for pitch in (36, 40)
        ]

    def test_twins_are_switched_note_by_note(self, here):
        settings = Settings.preset("paper")
        pairs = self.notes()
        text = dataset.twin_toggle(
            pairs, Representation(settings.spectra), settings, "toggle"
        )._repr_html_()
        assert re.findall(r'data-label="([^"]+)"', text) == ["dry", "reverb"]
        assert 'data-kind="toggle" data-what="Effect"' in text
        labels = re.findall(r'<audio [^>]*aria-label="([^"]+)"', text)
        assert labels == [f"{n}, {e}" for e in ("dry", "reverb") for n in ("C2 (36)", "E2 (40)")]
        stored, _ = soundfile.read(MEDIA / "toggle-01-2.wav", dtype="float32")
        expected = np.clip(pairs[1]["reverb"].audio, -1, 1)
        np.testing.assert_allclose(stored, expected, atol=1 / 32768)

    def test_only_the_effect_changes_between_generated_slides(self, here, run, monkeypatch):
        class Played:
            labels: ClassVar = {"pitch": [36, 40], "effect": ["dry", "reverb"]}
            spectra = Settings().spectra
            asked: ClassVar = []

            def latents(self, n, seed):
                return np.full((n, 3), seed, np.float32)

            def images(self, pitches, z, effect):
                return np.zeros((len(pitches), 128, 1024, 2), np.float32)

            def notes(self, pitches, z, effect):
                self.asked.append((tuple(pitches), tuple(z), effect))
                return np.zeros((len(pitches), NOTE_LENGTH), np.float32)

        synthesis.generated_toggle(Played(), [36, 40], 5, run, "toggle")
        assert Played.asked == [
            ((36, 40), (5.0, 5.0, 5.0), "dry"),
            ((36, 40), (5.0, 5.0, 5.0), "reverb"),
        ]

    def test_an_instrument_without_the_label_says_so(self, run):
        class Deaf:
            labels: ClassVar = {"pitch": [36]}

        assert "no label" in synthesis.generated_toggle(Deaf(), [36], 0, run, "toggle").data


def test_the_index_links_every_table_and_figure_of_the_paper():
    root = Path(__file__).parents[2]
    links = re.findall(
        r'href="notebooks/(\w+)\.html#([\w-]+)">(\w+) (\d+)<', (root / "book/paper.md").read_text()
    )
    expected = [("Table", n) for n in range(1, 6)] + [("Figure", n) for n in range(1, 25)]
    assert [(kind, int(number)) for _, _, kind, number in links] == expected
    for notebook, anchor, kind, number in links:
        cells = nbformat.read(root / "notebooks" / f"{notebook}.ipynb", 4).cells
        drawn = f'"{anchor}"' if kind == "Table" or int(number) > 16 else f"show({number}, "
        (cell,) = [cell.source for cell in cells if drawn in cell.source]
        assert drawn.startswith("show") or f"**{kind} {number}" in cell


class TestPaperTables:
    def test_a_record_is_read_as_it_was_written(self, small_data):
        frame = dataset.record_table(small_data)
        assert list(frame.index[:2]) == ["audio", "pitch"]
        assert frame.loc["audio", "type"] == "float (64,000)"
        first = next(small_data.notes("train"))
        assert frame.loc["pitch", "first clip"] == str(first.pitch)
        assert frame.loc["id", "first clip"] == first.id
        assert (frame["holds"] != "").all()
        assert frame["in the paper"].tolist() == ["yes", "yes"] + ["no"] * (len(frame) - 2)

    def test_the_preset_departs_from_table_5_in_one_row(self):
        frame = training.parameter_table(Settings.preset("paper"))
        apart = frame[frame["Table 5"] != frame["preset paper"]]
        assert [name for name in apart.index if name != "optimizer"] == ["images of a transition"]
        assert frame.loc["optimizer", "preset paper"].startswith("Adam")

    def test_a_run_by_the_clock_has_no_images_in_it(self):
        settings = Settings.preset(
            "tiny", **{"training.last_stage": 1, "training.stage_minutes": [1, 2]}
        )
        frame = training.parameter_table(settings)
        assert frame.loc["images of a transition"].iloc[-1] == "by the clock"


class TestLabelCurves:
    def test_labels_beside_the_pitch_have_curves(self, here, run):
        metrics = run.metrics()
        for kind in ("fake", "real"):
            metrics[f"{kind}_effect_loss"] = metrics[f"{kind}_pitch_loss"]
        metrics.to_csv(run.metrics_path, index=False)
        told = Run(
            run.directory,
            run.settings,
            {**run.manifest, "vocabulary": [["pitch", [36]], ["effect", ["dry", "reverb"]]]},
        )
        text = label_curves(told).data
        assert text.count("<figure") == 2
        assert 'id="loss-effect-fake"' in text

    def test_pitch_alone_has_none(self, run):
        assert "nothing else" in label_curves(run).data


class TestVerdicts:
    def report(self, verdict: str) -> Report:
        known, unknown = Measure(0.5, 0.4, 0.6, 9), Measure(missing_reason="too few notes")
        rows = [
            Row("pitch.accuracy", "Pitch", "pitch accuracy", "%", 1, known, known, known),
            Row("pitch.cents", "Pitch", "cents", "cents", 1, known, known, unknown),
        ]
        facts = {"stage": 8, "images_seen": 1234, "notes": {"generated": 24}, "wet": None}
        verdicts = [Verdict("pitch", "It plays.", "", verdict, "", "")]
        return Report(facts, rows, verdicts)

    @pytest.mark.parametrize(
        ("verdict", "words"),
        [
            ("reproduced", "It plays the pitch"),
            ("not reproduced", "It does not reliably play"),
            ("not testable", "could not be told"),
        ],
    )
    def test_words_follow_the_verdict(self, verdict, words):
        text = sounds_like(self.report(verdict)).data
        assert words in text
        assert "stage 8 after 1,234 images, in 24 notes" in text
        assert "asked pitch in 50.0 [40.0, 60.0]\u00a0% (ceiling 50.0 [40.0, 60.0]\u00a0%)" in text

    def test_what_was_not_measured_is_left_out(self):
        assert "cents" not in sounds_like(self.report("reproduced")).data


def test_network_table_adds_a_total():
    from reverbsynth.gan.networks import Generator

    generator = Generator(GanSettings(filters_max=2, latent_size=3), 4, stage=2)
    frame = networks.network_table(generator.table())
    assert frame["parameters"].iloc[-1] == generator.parameters()
    assert frame["parameters"].iloc[:-1].sum() == generator.parameters()


def test_data_counts_of_a_small_set():
    class Small:
        splits = ("train", "test")

        def index(self, split):
            rows = [
                Note("a/dry", np.zeros(1), 36, effect="dry", origin="a").metadata,
                Note("a/reverb", np.zeros(1), 36, effect="reverb", origin="a").metadata,
            ]
            return rows if split == "train" else rows[:1]

        def vocabulary(self, label):
            return ["dry", "reverb"]

    frame = dataset.data_counts(Small())
    assert frame.loc["train"].tolist() == [1, 1, 1, 2]
    assert frame.loc["test"].tolist() == [1, 1, 0, 1]
