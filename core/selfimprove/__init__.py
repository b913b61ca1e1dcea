"""What the self-improvement loop is: its resource, its decision, its measures and its artifacts.

Pure at heart: nothing here knows Kubernetes, torch or vLLM, so that the operator, the one-machine executor and the
workers all share one truth.
"""

__version__ = "0.1.0"
