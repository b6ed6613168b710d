"""Fixtures shared by the whole suite."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of stored reference values."""
    return Path(__file__).parent / "fixtures"


def pytest_sessionfinish(session, exitstatus) -> None:
    """In continuous integration a skipped test is a failure: everything it needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
