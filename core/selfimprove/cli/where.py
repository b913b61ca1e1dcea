"""Where the run is that a command is about, and which servers to ask for it: the options that every command shares.

A value of its own without any heavy import, since help must not wait for what looking needs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfimprove.cli import say
from selfimprove.errors import CredentialsError, OtherPlaceError, OtherRunError, SurroundingsError, UserError
from selfimprove.kubectl import AS_CONFIGURED, PREFIX, Kubectl

if TYPE_CHECKING:
    from selfimprove.cluster_run import ClusterRun
    from selfimprove.runs import RunHandle, Server
    from selfimprove.store import Store

_OWN_KEYS = "the keys are this machine's own, not those of the Secret that the cluster's pods get"
_NAMED = 5
"""Fields that a note names; of more it says how many."""
_OUTSIDE = "if its server has another address from here, give it by --endpoint URL (after kubectl port-forward, say)"


@dataclass(frozen=True)
class Where:
    """`--storage`, `--endpoint` and `--region`, and which cluster, by the options that kubectl has for it."""

    storage: str | None = None
    endpoint: str | None = None
    region: str | None = None
    cluster: Kubectl = AS_CONFIGURED

    def find(self, run: str) -> RunHandle:
        """The run that RUN names, as it was begun, with its store; what a FILE asks for otherwise is noted.

        Raises what `runs.find` and `cluster_storage.open_run` raise, and names `--endpoint` where that may help.
        """
        seen = self.in_cluster(run)
        return self._begun(run, "goes by what was begun") if seen is None else self._opened(seen)

    def store(self, run: str) -> Store:
        """Where the run of a FILE, folder or URI lies, whatever its record says. Raises what `runs.store_of` raises."""
        from selfimprove.runs import store_of

        with self._hinted():
            return store_of(run, self._storage(), self._server())

    def in_cluster(self, run: str) -> ClusterRun | None:
        """The run of `sir/NAME`, as its resource shows it; None for a RUN of another kind.

        Raises what `Kubectl.get` and `cluster_run_of` raise, `UserError` for an option that has no meaning for RUN.
        """
        if not run.startswith(PREFIX):
            if self.cluster != AS_CONFIGURED:
                raise UserError(f"--namespace, --context, --kubeconfig: name a cluster, and {run} is not sir/NAME")
            return None
        if self.storage is not None:
            raise UserError(f"--storage: {run} says itself where it lies; give --endpoint for another server")
        from selfimprove.cluster_run import cluster_run_of

        return cluster_run_of(self.cluster.get(run))

    def look(self, run: str, sets: Sequence[str]) -> RunHandle:
        """What `run` would begin or go on with, begun or not; what differs from what was begun is noted.

        A FILE without `--set` may be of a run that was begun with some: then the run that is there is given. Raises
        what `runs.look` raises.
        """
        from selfimprove.runs import look

        try:
            with self._hinted():
                handle = look(run, self._storage(), sets, self._server())
        except OtherRunError:
            if sets:
                raise
            return self._begun(run, f"goes by what was begun, since `{self.again('run', run)}` would be refused")
        _note(handle, f"goes by FILE, as `{self.again('run', run, *set_words(sets))}` would")
        return handle

    def _begun(self, run: str, which: str) -> RunHandle:
        from selfimprove.runs import find

        with self._hinted():
            handle = find(run, self._storage(), self._server(), begin_with=self.again("run", run))
        _note(handle, which)
        return handle

    def _opened(self, seen: ClusterRun) -> RunHandle:
        from selfimprove.cluster_run import accepted
        from selfimprove.cluster_storage import open_run

        server = self._server()
        try:
            return open_run(accepted(seen), server)
        except (CredentialsError, OtherPlaceError) as error:
            raise SurroundingsError("; ".join([str(error), *self._hints(error)])) from error

    def _hints(self, error: SurroundingsError) -> Iterator[str]:
        """What may be different out here."""
        if isinstance(error, CredentialsError):
            yield _OWN_KEYS
        if isinstance(error, OtherPlaceError) and self.endpoint is None:
            yield _OUTSIDE

    @contextmanager
    def at_work(self, file: str, sets: Sequence[str]) -> Iterator[RunHandle]:
        """The run of FILE, begun or gone on with, nobody else at work on it. Raises what `runs.at_work` raises."""
        from selfimprove.runs import at_work

        with ExitStack() as stack:
            with self._hinted():
                handle = stack.enter_context(at_work(file, self._storage(), sets, self._server()))
            yield handle

    def again(self, command: str, run: str, *more: str) -> str:
        """A command line about the same run in the same place."""
        named = {"--storage": self.storage, "--endpoint": self.endpoint, "--region": self.region}
        options = [word for name, value in named.items() if value is not None for word in (name, value)]
        return shlex.join(["selfimprove", command, run, *options, *more])

    def _storage(self) -> str | None:
        from selfimprove.api.rules.data import uri_problems
        from selfimprove.api.uris import STORAGE_SCHEMES

        if self.storage is not None:
            if not self.storage:
                raise UserError("--storage: is empty; give a folder or s3://BUCKET/PREFIX")
            for problem in uri_problems("--storage", self.storage, STORAGE_SCHEMES):
                raise UserError(str(problem))
        return self.storage

    def _server(self) -> Server:
        from selfimprove.api.rules.data import endpoint_problems, region_problems
        from selfimprove.runs import Server

        found = [*endpoint_problems("--endpoint", self.endpoint), *region_problems("--region", self.region)]
        for problem in found:
            raise UserError(str(problem))
        return Server(self.endpoint, self.region)

    @contextmanager
    def _hinted(self) -> Iterator[None]:
        """Within, a server that does not know the bucket or us may be the wrong one, as long as nobody named one."""
        try:
            yield
        except OtherPlaceError as error:
            if self.endpoint is not None:
                raise
            raise OtherPlaceError(f"{error}; or give --endpoint URL if the bucket is on another server") from error


def set_words(sets: Sequence[str]) -> list[str]:
    """`--set` options as words of a command line."""
    return [word for each in sets for word in ("--set", each)]


def _note(handle: RunHandle, which: str) -> None:
    """Say what a FILE asks for otherwise than the run that is there was begun with."""
    if not handle.differs:
        return
    named = ", ".join(map(str, handle.differs[:_NAMED]))
    more = len(handle.differs) - _NAMED
    rest = f" and {more} {'field' if more == 1 else 'fields'} more" if more > 0 else ""
    say(f"note: {handle.uri} was begun with {named}{rest}; this {which}")
