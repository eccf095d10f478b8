# Driftline as one image. No compiler, no shell at start, no root.
FROM python:3.11-slim AS build
WORKDIR /src
# What is read beside CSV and JSON, the page, and messages: `--build-arg EXTRAS=""` leaves it out.
# `references` (150 MB) reads references from elsewhere, `confluent` (15 MB) is the faster client.
ARG EXTRAS="files avro protobuf ui notify"
COPY requirements.txt requirements-files.txt requirements-avro.txt requirements-protobuf.txt \
     requirements-confluent.txt requirements-ui.txt requirements-notify.txt \
     requirements-references.txt requirements-build.txt ./
RUN python -m venv /opt/driftline && \
    /opt/driftline/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt && \
    for extra in $EXTRAS; do \
      /opt/driftline/bin/python -m pip install --no-cache-dir --require-hashes \
        -r "requirements-$extra.txt" || exit 1; \
    done && \
    python -m venv /opt/build && \
    /opt/build/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY detectors detectors
COPY producer producer
COPY consumer consumer
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . && \
    /opt/driftline/bin/python -m pip install --no-deps --no-index /dist/*.whl && \
    /opt/driftline/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin driftline && \
    install -d -o 10001 -g 10001 /var/lib/driftline
COPY --from=build /opt/driftline /opt/driftline
# In a container, loopback can be reached by nobody. The root file system may be read-only.
ENV PATH=/opt/driftline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DRIFTLINE_CONFIG=/etc/driftline/driftline.yaml \
    DRIFTLINE__HTTP__HOST=0.0.0.0
LABEL org.opencontainers.image.title="Driftline" \
      org.opencontainers.image.description="Event-driven streaming drift monitor for machine-learning models in production" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim"
USER 10001:10001
EXPOSE 9108
ENTRYPOINT ["driftline"]
CMD ["run"]
