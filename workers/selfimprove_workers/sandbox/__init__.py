"""Where programs that a model wrote are run: a bare Python of its own that forks a confined process for each.

`client` is the worker's side. All else runs in the sandbox's own process and imports nothing but the standard library.
"""
