"""The scratch folder: the one place for a program's files, which last no longer than it and never fill a disk."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfimprove_workers.sandbox.client import Sandbox
from tests.unit.sandbox_support import lacking, refused, run

if sys.platform != "linux":
    pytest.skip("the sandbox needs Linux", allow_module_level=True)


@pytest.fixture(scope="module", params=["all guards", "no namespaces", "no Landlock"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox that has a scratch folder: in memory, on disk, in memory."""
    made = lacking(request.param)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No folder of a program's outlives it."""
    before = set(Path(tempfile.gettempdir()).glob("program-*"))
    yield
    assert set(Path(tempfile.gettempdir()).glob("program-*")) <= before


def test_files_in_it_last_as_long_as_the_program(sandbox: Sandbox) -> None:
    write = "open('a', 'w').write('72')\nprint(open('a').read())\nimport os\nos.mkdir('b')\nprint(os.listdir())"
    assert run(sandbox, write).out.startswith("72\n[")
    assert run(sandbox, "import os\nprint(os.listdir('.'))").out == "[]\n"


def test_deleting_it_changes_nothing(sandbox: Sandbox) -> None:
    refused(sandbox, "os.rmdir(os.getcwd())")


def test_no_link_leads_out_of_it(sandbox: Sandbox) -> None:
    refused(sandbox, "os.symlink('/etc/passwd', 'a')")
    refused(sandbox, "os.link(os.__file__, 'a')")


def test_no_way_up_leads_out_of_it(sandbox: Sandbox) -> None:
    refused(sandbox, "open('../../../../etc/passwd').read()")
    refused(sandbox, "open('../left', 'w')")
    refused(sandbox, "os.mkdir('../left')")


def test_its_mode_is_not_changed(sandbox: Sandbox) -> None:
    refused(sandbox, "os.chmod('.', 0)")


def test_what_nobody_may_read_is_removed(sandbox: Sandbox) -> None:
    hide = "os.umask(0o777)\nos.makedirs('a')\nopen('b', 'w').close()\nos.umask(0)\nos.mkdir('c', 0)\nprint(72)"
    assert run(sandbox, f"import os\n{hide}").out in ("72\n", "")


def test_a_disk_is_not_filled_with_one_file(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "f = open('a', 'wb')\nwhile True:\n    f.write(bytes(1 << 20))")
    assert outcome.reason


def test_a_disk_is_not_filled_with_many_files(sandbox: Sandbox) -> None:
    fill = "n = 0\nwhile True:\n    n += 1\n    open(str(n), 'wb').write(bytes(1 << 20))"
    assert run(sandbox, fill).reason


def test_a_disk_is_not_filled_with_empty_files(sandbox: Sandbox) -> None:
    assert run(sandbox, "n = 0\nwhile True:\n    n += 1\n    open(str(n), 'w').close()").reason


def test_folders_in_folders_without_end_are_removed(sandbox: Sandbox) -> None:
    deep = "import os\nfor _ in range(900):\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)\nprint(72)"
    assert run(sandbox, deep).out in ("72\n", "")
