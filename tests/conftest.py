"""Fixtures that several test files share live in tests/fixtures, one file a subject."""

import signal

pytest_plugins = ["tests.fixtures.s3", "tests.fixtures.models", "tests.fixtures.cluster", "tests.fixtures.installed"]


def pytest_configure() -> None:
    """What a shell starts in its background ignores Ctrl-C, and so would every process that the tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
