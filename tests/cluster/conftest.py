"""Pretended nodes and an operator for the tests of this folder, once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.cluster import Cluster
from tests.fixtures.fake_nodes import pretended_nodes
from tests.fixtures.operator import Operator, operator_at_work


@pytest.fixture(scope="session")
def nodes(crd_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The API server with nodes that pretend to run pods."""
    with pretended_nodes(crd_cluster, tmp_path_factory.mktemp("kwok") / "log"):
        yield crd_cluster


@pytest.fixture(scope="module")
def operator(nodes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator that looks after all namespaces."""
    with operator_at_work(nodes, tmp_path_factory.mktemp("operator")) as found:
        yield found
