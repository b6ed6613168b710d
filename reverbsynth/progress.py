"""Progress of long work: a bar on a terminal; in a log or a notebook, a line a minute."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one perhaps shorter.

    >>> list(batched("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


class ProgressDisplay(Progress):
    """Bars of tasks on stderr where that is a terminal, else a line a minute.

    Tasks count items or bytes. Without ``estimates`` their descriptions tell the time left.
    """

    def __init__(
        self,
        in_bytes: bool = False,
        estimates: bool = True,
        get_time: Callable[[], float] | None = None,
    ):
        count: list[ProgressColumn] = [TaskProgressColumn()]
        if estimates:
            amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
            count = [amount, TimeRemainingColumn()]
        self._estimates = estimates
        console = Console(stderr=True)
        super().__init__(
            *(TextColumn("{task.description}"), BarColumn(), *count),
            console=console,
            disable=not console.is_terminal,
            get_time=get_time,
        )
        self._line_due = self.get_time() + 60

    def update(self, task_id: TaskID, *arguments: Any, **changes: Any) -> None:
        super().update(task_id, *arguments, **changes)
        self._print_line(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._print_line(task_id)

    def count(self, task_id: TaskID, done: int, total: int) -> None:
        """Say how much of a task is done: a callback, once the task is given."""
        self.update(task_id, completed=done, total=total)

    def _print_line(self, task_id: TaskID) -> None:
        now = self.get_time()
        if not self.disable or now < self._line_due:
            return
        self._line_due = now + 60
        task = self._tasks[task_id]
        done = f"{task.completed:,.0f}" if task.total is None else f"{task.percentage:.0f}%"
        left = task.time_remaining if self._estimates else None
        to_go = "" if left is None else f", {timedelta(seconds=round(left))} to go"
        self.console.print(f"{task.description}: {done}{to_go}", markup=False, soft_wrap=True)
