"""torchvision and its like: nothing of a run needs them, but transformers and vLLM import them where they find them.

vLLM's CPU build brings them made for another torch than its own, and then nothing runs with either engine. Who reads
of "operator torchvision::nms" or a lacking 'LlamaConfig' can't guess what to do: here the package is named, and the
remedy.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from selfimprove.errors import SurroundingsError

NEEDLESS = ("torchvision", "torchaudio", "torchcodec")
REMEDY = f"pip uninstall {' '.join(NEEDLESS)}"


def misfit(error: BaseException) -> str | None:
    """What is wrong, and the remedy, where an error came of importing one of those; None for any other error."""
    names = (name for each in _chain(error) for name in _importing(each) if name in NEEDLESS)
    if (name := next(names, None)) is None:
        return None
    return f"{name} does not fit the torch that is installed here, and nothing of a run needs it; {REMEDY}"


@contextmanager
def misfits_named() -> Iterator[None]:
    """Within, such an error becomes a `SurroundingsError` that says so."""
    try:
        yield
    except Exception as error:
        if problem := misfit(error):
            raise SurroundingsError(problem) from error
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _importing(error: BaseException) -> Iterator[str]:
    """The packages whose modules were being imported when it was raised."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "<module>":
            yield str(frame.f_globals.get("__name__")).partition(".")[0]
