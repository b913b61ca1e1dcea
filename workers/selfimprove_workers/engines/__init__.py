"""Models that sample: one Protocol (`base.Engine`), two engines, and the choice between them."""

from selfimprove_workers.engines.choice import check_engine, load_engine

__all__ = ["check_engine", "load_engine"]
