"""Fixtures that several test files share live in tests/fixtures, one file a subject."""

pytest_plugins = ["tests.fixtures.s3", "tests.fixtures.models", "tests.fixtures.cluster", "tests.fixtures.installed"]
