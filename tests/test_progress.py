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


def test_a_description_that_tells_the_time_left_stands_alone(capsys):
    seconds = 0.0
    with ProgressDisplay(estimates=False, get_time=lambda: seconds) as display:
        task = display.add_task("", total=1.0)
        seconds = 61.0
        display.update(task, completed=0.25, description="stage 8, 3.1 minutes to go")
    assert capsys.readouterr().err == "stage 8, 3.1 minutes to go: 25%\n"


def test_short_work_prints_nothing(capsys):
    with ProgressDisplay(in_bytes=True) as display:
        task = display.add_task("download", total=None)
        display.advance(task)
    assert capsys.readouterr().err == ""
