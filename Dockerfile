# Build with the digest of the base you have reviewed:
#   docker build --build-arg PYTHON_DIGEST=sha256:... -t hubdata .
ARG PYTHON_DIGEST

FROM python:3.13-slim-bookworm@${PYTHON_DIGEST} AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/hubdata \
    && /opt/hubdata/bin/pip install --no-cache-dir --require-hashes -r requirements/image.txt -r requirements/build.txt
COPY pyproject.toml README.md CHANGELOG.md LICENSE ./
COPY jobs jobs
COPY docs/man docs/man
COPY hubdata hubdata
RUN /opt/hubdata/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/hubdata/bin/python -m compileall -q /opt/hubdata/lib

FROM python:3.13-slim-bookworm@${PYTHON_DIGEST}
# git reads the data repository; Debian keeps it patched, so its version is not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends --yes ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/hubdata hubdata
COPY --from=build /opt/hubdata /opt/hubdata
# What is in it, for whoever asks which image holds a library that has a hole.
COPY requirements/image.cdx.json /usr/share/doc/hubdata/image.cdx.json
ENV PATH=/opt/hubdata/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HUBDATA_SPOOL=/var/lib/hubdata/spool
USER 10001:10001
WORKDIR /var/lib/hubdata
# Declared, so that a volume which ECS mounts here belongs to the user as the directory does.
VOLUME ["/var/lib/hubdata"]
# The worker ends within ten seconds of it, and as the first process it buries what others leave: no init is needed.
STOPSIGNAL SIGTERM
# Whether settings and job files can be used. A worker that answers over HTTP has better: /healthz and /readyz.
HEALTHCHECK --interval=5m --timeout=20s --start-period=10s CMD ["hubdata", "config", "check"]
ENTRYPOINT ["hubdata"]
CMD ["sync", "--once"]
