"""How a step of the loop is done, inside a pod or a local process."""

import os

# Before torch is imported, since that is when OpenMP reads it. Its threads spin while they wait for one another; where
# anything else runs on the machine, the one that is waited for then gets no core, and every operation lasts a time
# slice: beside one busy process on two cores, sampling was ten times as slow as with threads that sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
