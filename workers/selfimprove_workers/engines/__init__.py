"""Models that sample: one Protocol (`base.Engine`), two engines, and the choice between them."""

from selfimprove_workers.engines.choice import load_engine

__all__ = ["load_engine"]
