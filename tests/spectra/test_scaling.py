"""Images at other resolutions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from reverbsynth.spectra.scaling import downscale, upscale, upscale_in_lines

FACTORS = st.sampled_from((1, 2, 4, 8))


@pytest.mark.both_backends
@given(FACTORS, st.integers(0, 2**32 - 1))
def test_lines_lead_from_middle_to_middle(factor, seed):
    small = np.random.default_rng(seed).normal(size=(2, 4, 3, 2)).astype(np.float32)
    large = ops.convert_to_numpy(upscale_in_lines(small, factor))
    assert large.shape == (2, 4 * factor, 3 * factor, 2)
    middles = (np.arange(4) + 0.5) * factor - 0.5
    expected = np.interp(np.arange(4 * factor), middles, small[1, :, 2, 0])
    assert large[1, :, -1, 0] == pytest.approx(expected, abs=1e-5)
    assert (large[:, :, :factor] == large[:, :, :1]).all()


@given(FACTORS, st.integers(0, 2**32 - 1))
def test_boxes_come_back(factor, seed):
    small = np.random.default_rng(seed).normal(size=(1, 2, 3, 2)).astype(np.float32)
    again = ops.convert_to_numpy(downscale(upscale(ops.convert_to_tensor(small), factor), factor))
    assert again == pytest.approx(small, abs=1e-5)
