"""Fixtures that several test files share live in tests/fixtures, one file a subject."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.s3",
    "tests.fixtures.models",
    "tests.fixtures.cluster",
    "tests.fixtures.installed",
    "tests.parallel",
]

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")  # a busy machine is slow, which is no fault of what is tested

HANDLED = (signal.SIGINT, signal.SIGTERM)


def pytest_configure() -> None:
    """What a shell starts in its background ignores Ctrl-C, and so would every process that the tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def handlers_of_signals_are_given_back() -> Iterator[None]:
    """A worker's command that runs in the test's own process sets handlers, as it does in its own, and never resets."""
    before = {number: signal.getsignal(number) for number in HANDLED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
