"""The loss curves."""

import numpy as np

from reverbsynth.book.chapters import losses
from reverbsynth.book.chapters.losses import label_curves
from reverbsynth.training.run import Run


def test_moving_average_is_the_mean_of_its_neighbours():
    values = np.random.default_rng(0).normal(size=37)
    half = 3 // 2 + 1
    wanted = [values[max(i - half, 0) : i + half + 1].mean() for i in range(37)]
    np.testing.assert_allclose(losses.moving_average(values), wanted, atol=1e-12)


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
