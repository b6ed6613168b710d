"""What notebooks share is made by one of them."""

import threading
import time

from reverbsynth.book import workspace as module
from reverbsynth.book.workspace import Workspace


def test_two_notebooks_that_need_the_same_wait_for_each_other(
    small_settings, monkeypatch, tmp_path
):
    at_once, most = 0, []

    def build(settings, directory):
        nonlocal at_once
        at_once += 1
        time.sleep(0.1)
        most.append(at_once)
        at_once -= 1
        return directory

    monkeypatch.setattr(module, "build_data", build)

    def notebook():
        assert Workspace(small_settings, small_settings, None, tmp_path).data

    threads = [threading.Thread(target=notebook) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]
