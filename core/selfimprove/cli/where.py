"""Where the run lies that a command is about, and which server to ask for it: the options that every command shares.

A value of its own without any heavy import, since help must not wait for what looking needs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfimprove.errors import OtherPlaceError, UserError

if TYPE_CHECKING:
    from selfimprove.runs import RunHandle, Server


@dataclass(frozen=True)
class Where:
    """`--storage`, `--endpoint` and `--region`."""

    storage: str | None = None
    endpoint: str | None = None
    region: str | None = None

    def find(self, run: str) -> RunHandle:
        """The run that RUN names, begun. Raises what `runs.find` raises, and names `--endpoint` where that may help."""
        from selfimprove.runs import find

        with self._hinted():
            return find(run, self.storage, self._server(), begin_with=self.again("run", run))

    def look(self, run: str, sets: Sequence[str]) -> RunHandle:
        """The run that RUN names, begun or not. Raises what `runs.look` raises."""
        from selfimprove.runs import look

        with self._hinted():
            return look(run, self.storage, sets, self._server())

    @contextmanager
    def at_work(self, file: str, sets: Sequence[str]) -> Iterator[RunHandle]:
        """The run of FILE, begun or gone on with, nobody else at work on it. Raises what `runs.at_work` raises."""
        from selfimprove.runs import at_work

        with ExitStack() as stack:
            with self._hinted():
                handle = stack.enter_context(at_work(file, self.storage, sets, self._server()))
            yield handle

    def again(self, command: str, run: str, *more: str) -> str:
        """A command line about the same run in the same place."""
        named = {"--storage": self.storage, "--endpoint": self.endpoint, "--region": self.region}
        options = [word for name, value in named.items() if value is not None for word in (name, value)]
        return shlex.join(["selfimprove", command, run, *options, *more])

    def _server(self) -> Server:
        from selfimprove.api.rules.data import endpoint_problems
        from selfimprove.runs import Server

        for problem in endpoint_problems("--endpoint", self.endpoint):
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
