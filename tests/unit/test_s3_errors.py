"""Errors of boto3 as a user reads them."""

from __future__ import annotations

import pytest

pytest.importorskip("boto3", reason="the data libraries are not installed")

from botocore.exceptions import HTTPClientError

from selfimprove.store.s3_errors import explain, may_pass

WITHOUT_END = RecursionError("maximum recursion depth exceeded")


@pytest.mark.parametrize("error", [WITHOUT_END, HTTPClientError(error=WITHOUT_END)])
def test_a_redirect_is_named_wherever_boto3_came_to_the_end_of_asking_for_its_region(error: Exception) -> None:
    assert not may_pass(error)
    assert "s3://lab/runs: is redirected (endpoint http://here)" in str(explain(error, "s3://lab/runs", "http://here"))


def test_another_fault_of_a_request_is_a_connection_that_broke_and_may_pass() -> None:
    error = HTTPClientError(error=OSError("reset"))
    assert may_pass(error)
    assert "s3://lab/runs: the connection broke" in str(explain(error, "s3://lab/runs", "http://here"))
