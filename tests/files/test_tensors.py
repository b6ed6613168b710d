"""Tensors in files that others may read, or may not."""

import os
import stat

import numpy as np
import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.tensors import load_tensors, save_tensors


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_the_umask_decides_who_may_read(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        save_tensors(tmp_path / "a.safetensors", {"x": np.zeros(3)}, {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == mode


def test_a_permission_is_called_a_permission(tmp_path):
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"x": np.zeros(3)}, {})
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ReverbSynthError, match=r"cannot be read \(Permission denied\)"):
            load_tensors(path)
    finally:
        os.seteuid(user)
    with pytest.raises(ReverbSynthError, match=r"cannot be read \(No such file"):
        load_tensors(tmp_path / "b.safetensors")
