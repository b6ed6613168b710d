"""Progress where there is no terminal."""

from reverbsynth.progress import ProgressDisplay


def test_a_log_gets_a_line_a_minute(capsys):
    seconds = 0.0
    with ProgressDisplay(get_time=lambda: seconds) as display:
        task = display.add_task("notes", total=100)
        for seconds in range(1, 151):
            display.update(task, completed=seconds / 2)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["notes: 30%, 0:02:20 to go", "notes: 60%, 0:01:20 to go"]


def test_short_work_prints_nothing(capsys):
    with ProgressDisplay(in_bytes=True) as display:
        task = display.add_task("download", total=None)
        display.advance(task)
    assert capsys.readouterr().err == ""
