"""A run's resource, read by the user's own kubectl: it brings contexts, logins and proxies as they are set up."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from selfimprove.errors import SurroundingsError, UserError
from selfimprove.kubectl_errors import explain

PREFIX = "sir/"
"""How a run of a cluster is named on the command line: `sir/NAME`."""
RESOURCE = "selfimprovementruns.selfimprove.dev"

_REQUEST_SECONDS, _SECONDS = 20, 90
"""Of one request, and of all that kubectl does: it asks a silent server several times."""


@dataclass(frozen=True)
class Kubectl:
    """`--namespace`, `--context` and `--kubeconfig`, where they were given; else as kubectl itself chooses."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None

    def get(self, run: str) -> dict[str, Any]:
        """The resource of `sir/NAME`.

        Raises `UserError` for a name that is none or that no run has, `SurroundingsError` without kubectl, without an
        answer, without the resource's definition, or when the cluster does not let us read it.
        """
        asked = [f"--request-timeout={_REQUEST_SECONDS}s", "get", RESOURCE, _name_of(run), "--output=json"]
        if self.namespace is not None:
            asked.append(f"--namespace={self.namespace}")
        code, out, err = _call(run, self._words(*asked))
        if code:
            raise explain(run, err, self.namespace, self.line("get", "sir", "--all-namespaces"))
        return _document(run, out)

    def line(self, *words: str) -> str:
        """A command about the same cluster, for a person to type."""
        return shlex.join(self._words(*words))

    def _words(self, *words: str) -> list[str]:
        options = {"--context": self.context, "--kubeconfig": self.kubeconfig}
        return ["kubectl", *words, *(f"{name}={value}" for name, value in options.items() if value is not None)]


AS_CONFIGURED = Kubectl()
"""The cluster and namespace of kubectl's own context."""


def _name_of(run: str) -> str:
    from selfimprove.api.base import PATTERNS, RUN_NAME  # `--help` must not wait for pydantic

    name = run.removeprefix(PREFIX)
    if not re.fullmatch(RUN_NAME, name) or len(name) > 63:
        raise UserError(f"{run}: names no run of a cluster; give sir/NAME [-n NAMESPACE], NAME of {PATTERNS[RUN_NAME]}")
    return name


def _call(run: str, words: list[str]) -> tuple[int, str, str]:
    """Exit code, output and complaint. It can't ask anything back, since nobody would see the question."""
    import subprocess

    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        raise SurroundingsError(
            f"{run}: is read by kubectl, which is not on the PATH; install it, or give the URI of the run"
        ) from None
    except subprocess.TimeoutExpired:
        raise SurroundingsError(f"{run}: kubectl had no answer within {_SECONDS} s; check the network") from None
    except OSError as error:
        raise SurroundingsError(f"{run}: kubectl can't be started ({error.strerror}); mend its installation") from error
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def _document(run: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SurroundingsError(f"{run}: kubectl answered with no JSON; see what `kubectl get {run} -o json` prints")
    return found
