"""The sandbox itself: what it says of a machine that lacks guards, the filter's decisions, and its socket."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import selfimprove_workers
from selfimprove.errors import SurroundingsError, UserError
from selfimprove_workers.sandbox import client, guards, seccomp
from selfimprove_workers.sandbox.client import SOCKET, Connection, Limits, Outcome, Sandbox, server_command
from selfimprove_workers.sandbox.seccomp import ALLOW, AUDIT_ARCH, CHECKED, COMPUTING, FAIL, FILES, KILL_PROCESS
from tests.unit.sandbox_support import HELD, LACKING, lacking, refused

if sys.platform != "linux":
    pytest.skip("the sandbox needs Linux", allow_module_level=True)

MACHINES = list(AUDIT_ARCH)
SHORT = Limits(cpu=1, wall=5.0)


def decided(machine: str, number: int, arguments: tuple[int, ...] = (), files: bool = True, arch: int = 0) -> int:
    """What the kernel would do with a system call: the filter, interpreted."""
    words = {0: number, 4: arch or AUDIT_ARCH[machine]}
    words |= {16 + 8 * index: value & 0xFFFFFFFF for index, value in enumerate((*arguments, 0, 0, 0, 0, 0, 0)[:6])}
    program, at, register = seccomp.filter_of(machine, files), 0, 0
    while True:
        code, so, otherwise, value = program[at]
        if code == seccomp.RETURN:
            return value
        if code == seccomp.LOAD:
            register, so = words[value], 0
        else:
            is_so = register == value if code == seccomp.JUMP_EQUAL else register >= value
            so = so if is_so else otherwise
        at += 1 + so


def numbers(machine: str, *tables: seccomp.Numbers) -> set[int]:
    column = MACHINES.index(machine)
    return {number for table in tables for each in table.values() if (number := each[column]) is not None}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("files", [True, False])
def test_what_is_on_the_list_is_allowed_and_nothing_else(machine: str, files: bool) -> None:
    allowed = numbers(machine, COMPUTING, *([FILES] if files else []))
    checked = {call.numbers[MACHINES.index(machine)] for call in CHECKED.values()}
    for number in range(1024):
        found = decided(machine, number, (0, 999, 0), files)
        if number in checked:
            continue
        wanted = ALLOW if number in allowed else FAIL | (errno.ENOSYS if number >= 424 else errno.EPERM)
        assert found == wanted, number


@given(st.sampled_from(MACHINES), st.integers(1024, 2**32 - 1))
def test_a_number_that_no_kernel_has_yet_is_never_allowed(machine: str, number: int) -> None:
    assert decided(machine, number) in (FAIL | errno.ENOSYS, KILL_PROCESS)


@given(st.sampled_from(MACHINES), st.integers(0, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_a_call_of_another_architecture_kills(machine: str, number: int, arch: int) -> None:
    if arch != AUDIT_ARCH[machine]:
        assert decided(machine, number, arch=arch) == KILL_PROCESS


@given(st.sampled_from(MACHINES), st.sampled_from(list(CHECKED)), st.integers(0, 2**32 - 1))
def test_a_call_that_is_looked_into_is_allowed_with_known_values_only(machine: str, name: str, value: int) -> None:
    call = CHECKED[name]
    arguments = [7, 7, 7]
    arguments[call.argument] = value
    found = decided(machine, call.numbers[MACHINES.index(machine)], tuple(arguments))
    assert found == (ALLOW if value in call.values else FAIL | errno.EPERM)


def test_the_tables_say_what_the_kernels_own_header_says() -> None:
    headers = list(Path("/usr/include").glob("*-linux-gnu/asm/unistd_64.h"))
    if os.uname().machine != "x86_64" or not headers:
        pytest.skip("the kernel's headers for x86_64 are not installed")
    lines = [line.split() for line in headers[0].read_text().splitlines() if line.startswith("#define __NR_")]
    known = {line[1].removeprefix("__NR_"): int(line[2]) for line in lines if len(line) == 3}
    for name, each in {**COMPUTING, **FILES, **{name: call.numbers for name, call in CHECKED.items()}}.items():
        assert known[name] == each[0], name


@pytest.mark.parametrize(
    ("has", "line"),
    [
        ("seccomp landlock namespaces", ""),
        ("seccomp landlock", "no user namespaces: seccomp alone cuts network, processes and signals"),
        ("seccomp namespaces", "no Landlock: the root of its own alone hides files"),
        (
            "seccomp",
            "neither Landlock nor user namespaces: programs may open no file, and import only what is loaded already",
        ),
    ],
)
def test_a_machine_that_lacks_a_guard_is_told_of_in_one_line(has: str, line: str) -> None:
    guards.require(frozenset(has.split()))
    assert guards.missing(frozenset(has.split())) == line


def test_the_worker_says_once_what_is_lacking(caplog: pytest.LogCaptureFixture) -> None:
    made = Sandbox(partial(Connection, "namespaces"))
    made.run("print(1)")
    made.close()
    assert [record.message for record in caplog.records] == [
        "sandbox: this machine has no user namespaces: seccomp alone cuts network, processes and signals"
    ]


def test_without_seccomp_and_namespaces_no_program_is_run() -> None:
    with pytest.raises(UserError) as refused:
        Connection("seccomp,namespaces")
    assert str(refused.value).startswith(
        "spec.dataset.task: Program can't be checked here: programs can't be held on this machine: no seccomp filters"
    )


def test_guards_that_do_not_hold_are_found_out_before_any_program() -> None:
    trusting = (
        "import socket\n"
        "from selfimprove_workers.sandbox import guards, zygote\n"
        "guards.require = lambda has: None\n"
        "zygote.attend(socket.socket(fileno=0), frozenset(['landlock']))\n"
    )
    ours, theirs = socket.socketpair()
    environment = {"PYTHONPATH": str(Path(selfimprove_workers.__file__).parents[1])}
    with ours, theirs:
        subprocess.run([sys.executable, "-c", trusting], stdin=theirs.fileno(), env=environment, timeout=60)
        assert json.loads(ours.makefile("rb").readline())["refused"].startswith("the sandbox's guards do not hold")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[str]:
    """A sandbox that listens, as a sidecar starts it, with secrets in its environment that it must forget."""
    path = str(tmp_path / "socket")
    command = [sys.executable, "-m", "selfimprove_workers.main", "sandbox", "--socket", path]
    process = subprocess.Popen(command, env={**os.environ, "AWS_SECRET_ACCESS_KEY": "swordfish"})
    yield path
    process.terminate()
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    "junk",
    [
        b"garbage\n",
        b"{}\n",
        b"[1]\n",
        b'{"program": 5, "cpu": 1, "wall": 1, "memory": 1, "output": 1}\n',
        b'{"program": "print(1)", "cpu": -1, "wall": 1, "memory": 1, "output": 1}\n',
    ],
)
def test_what_is_no_request_is_hung_up_on_in_one_line(junk: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(server_command(), stdin=theirs.fileno(), stderr=subprocess.PIPE, text=True)
    with ours, ours.makefile("rb") as lines:
        assert "missing" in json.loads(lines.readline())
        ours.sendall(junk)
        assert lines.readline() == b""
    _, said = process.communicate(timeout=10)
    (line,) = said.splitlines()
    assert line.startswith("sandbox: hung up on what is no request (")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_that_is_told_to_end_takes_its_socket_away(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "socket"
    process = subprocess.Popen([*server_command(), "--socket", str(path)], stderr=subprocess.PIPE)
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(10) == 0
    assert not path.exists()


def test_programs_go_to_the_socket_that_the_variable_names(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKET, place)
    made = Sandbox()
    assert made._idle[False][0]._process is None
    assert made.run("print(6 * 7)", SHORT) == Outcome("exit", 0, "42\n", "")
    made.close()


def test_a_sidecar_keeps_nothing_of_its_containers_environment(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKET, place)
    made = Sandbox()
    servers = [process for process in psutil.Process().children(recursive=True) if is_server(process)]
    assert servers
    assert [process.environ() for process in servers] == [client.SERVER_ENVIRONMENT] * len(servers)
    made.close()


def is_server(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # one that ended, of another test
        return "--socket" in process.cmdline()
    return False


NO_MODULE = """
import numpy
for name in ("psutil", "charset_normalizer", "selfimprove_workers.tasks", "pytest"):
    try:
        __import__(name)
    except ImportError:
        continue
    print(name)
print("refused")
"""


@pytest.mark.parametrize("state", LACKING)
def test_a_package_that_is_not_for_programs_is_one_that_is_not_there(state: str) -> None:
    assert lacking(state).run(NO_MODULE, HELD).out == "refused\n"


def test_a_program_imports_what_it_writes() -> None:
    program = "import sys\nopen('own.py', 'w').write('n = 42')\nsys.path.insert(0, '.')\nimport own\nprint(own.n)"
    assert lacking("all guards").run(program, HELD) == Outcome("exit", 0, "42\n", "")


@pytest.mark.parametrize("state", ["all guards", "no namespaces", "no Landlock"])
def test_of_what_is_installed_only_what_computes_can_be_imported_and_nothing_else_read(state: str) -> None:
    """A package may be a data set with its gold answers, or the generator that knows them."""
    sandbox = lacking(state)
    for module in (selfimprove_workers, pytest, psutil):
        refused(sandbox, f"open({module.__file__!r})")
    assert sandbox.run(NO_MODULE, HELD).out == "refused\n"
    able = "import csv, sqlite3, mpmath, numpy, sympy\nprint(numpy.linalg.det(numpy.eye(2)), sympy.sqrt(4))"
    assert sandbox.run(able, HELD) == Outcome("exit", 0, "1.0 2\n", "")


def test_several_workers_threads_are_served_at_the_same_time(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKET, place)
    made, ends = Sandbox(), list[str]()
    sleeping = threading.Thread(target=lambda: ends.append(made.run("import time\ntime.sleep(60)", Limits(wall=4)).end))
    sleeping.start()
    assert made.run("print(1)", SHORT).out == "1\n"
    assert not ends
    sleeping.join()
    assert ends == ["wall"]
    made.close()


def test_a_sandbox_that_is_not_there_is_a_fault_of_the_surroundings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SOCKET, str(tmp_path / "socket"))
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(SurroundingsError, match=r"can't be reached \(No such file or directory\); start"):
        Sandbox()


def test_a_program_that_the_sandbox_ends_over_is_given_to_it_once_more() -> None:
    made = Sandbox()
    process = made._idle[False][0]._process
    assert process is not None
    process.kill()
    assert made.run("print(1)", SHORT).out == "1\n"
    made.close()


def test_a_worker_that_is_gone_leaves_no_program_behind() -> None:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(server_command(), stdin=theirs.fileno(), env=client.SERVER_ENVIRONMENT, cwd="/")
    theirs.close()
    assert "missing" in json.loads(ours.makefile("rb").readline())
    request = {"program": "import time\ntime.sleep(600)", "cpu": 1, "wall": 600, "memory": 1 << 29, "output": 100}
    ours.sendall(json.dumps(request).encode() + b"\n")
    time.sleep(0.3)
    ours.close()
    assert process.wait(10) == 0


@contextmanager
def of_nobody(without: str) -> Iterator[Callable[[str], dict[str, Any]]]:
    """A sandbox of a user without any privilege, as in a pod: asks it for what becomes of a program."""
    python = "/usr/bin/python3"  # ours may lie where only root may look
    is_old = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    if os.getuid() != 0 or not Path(python).exists() or subprocess.run(is_old).returncode:
        pytest.skip("only root can become another user, who needs a Python 3.11 that everybody may run")
    ours, theirs = socket.socketpair()
    with readable_by_all() as folder, ours, ours.makefile("rwb") as lines:
        process = subprocess.Popen(
            [python, "-sP", str(folder / "selfimprove_workers" / "sandbox" / "zygote.py"), "--without", without],
            stdin=theirs.fileno(),
            env=client.SERVER_ENVIRONMENT,
            cwd="/",
            user=65534,
            group=65534,
            extra_groups=[],
        )
        theirs.close()
        hello = json.loads(lines.readline())
        if "refused" in hello and without == "seccomp":
            pytest.skip("this machine has no user namespaces for users")
        assert "missing" in hello, hello

        def ask(program: str) -> dict[str, Any]:
            request = {"program": program, "cpu": 1, "wall": 4, "memory": 1 << 29, "output": 1000}
            lines.write(json.dumps(request).encode() + b"\n")
            lines.flush()
            answer: dict[str, Any] = json.loads(lines.readline())
            assert psutil.Process(process.pid).children(recursive=True) == []
            return answer

        yield ask
        ours.shutdown(socket.SHUT_RDWR)
        assert process.wait(10) == 0


@contextmanager
def readable_by_all() -> Iterator[Path]:
    """The sandbox's code in a folder that every user may read, which ours and pytest's need not be."""
    package = Path(selfimprove_workers.__file__).parent
    with tempfile.TemporaryDirectory(prefix="shared-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        shutil.copytree(package / "sandbox", folder / "selfimprove_workers" / "sandbox")
        shutil.copy(package / "__init__.py", folder / "selfimprove_workers")
        yield folder


@pytest.mark.parametrize("without", ["", "namespaces", "landlock", "landlock,namespaces"])
def test_it_holds_for_a_user_without_any_privilege(without: str) -> None:
    with of_nobody(without) as ask:
        for attempt in ("os.fork()", "os.kill(os.getppid() or 1, 9)", "open('/etc/passwd')", "open('../left', 'w')"):
            answer = ask(f"import os\ntry: {attempt}\nexcept OSError: print('refused')")
            assert (answer["end"], answer["out"]) == ("exit", "refused\n"), attempt
        assert ask("while True: pass")["end"] in ("cpu", "wall")
        assert ask("print(6 * 7)")["out"] == "42\n"


def test_namespaces_alone_hold_a_user_without_any_privilege() -> None:
    with of_nobody("seccomp") as ask:
        assert ask("import os\nwhile True: os.fork()")["end"] in ("exit", "output")  # they all complain
        daemon = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n"
        assert ask(daemon + "print(72)")["out"].startswith("72\n")
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            assert ask(f"import socket\nsocket.create_connection({address!r}, 1)")["code"] == 1
        for attempt in ("open('/etc/passwd')", "open('/proc/self/environ')", "open('/left', 'w')"):
            answer = ask(f"import os\nif os.fork() == 0:\n    {attempt}\n    print('done')\nelse: os.wait()")
            assert "done" not in answer["out"], attempt
        assert ask("print(6 * 7)")["out"] == "42\n"
