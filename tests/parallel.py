"""How the processes of `pytest -n` (pytest-xdist) share the tests; each process has session fixtures of its own.

A file's tests stay together, since what a module's fixtures make is dear. So do those of a cluster, whose definition
and operators are everybody's; `tests/cluster` and `tests/e2e` run side by side where each has a cluster to itself.
They come first: they mostly wait, and would be waited for at the end.
"""

from __future__ import annotations

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.fixtures.cluster import START, START_NODE

_CLUSTER, _NODE = "tests/cluster/", "tests/e2e/"


class _ByPlace(LoadScopeScheduling):
    """Shares out files, and the folders of a cluster as one, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith((_CLUSTER, _NODE)):
            return nodeid.partition("/test_")[0] if {START, START_NODE} <= os.environ.keys() else "a cluster"
        return nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByPlace:
    """The scheduler of every `pytest -n`, whatever its `--dist`."""
    config.option.loadscopereorder = False
    return _ByPlace(config, log)
