# One image for every role: what runs is the command, `worker --roles …`, `topics create`, `migrate`, `ask`.
FROM python:3.11.14-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
COPY pyproject.toml requirements.lock ./
# Versions and hashes are the lock's; what only tests and the embedded stores need stays out.
RUN uv venv /opt/opsloom \
    && uv pip compile pyproject.toml --extra graph --constraint requirements.lock --generate-hashes \
        --no-header --quiet --output-file /tmp/requirements.txt \
    && uv pip install --python /opt/opsloom/bin/python --no-cache --require-hashes -r /tmp/requirements.txt \
    && uv pip install --python /opt/opsloom/bin/python --no-cache "setuptools>=77"
COPY . .
# Editable: packs and migrations are read from their folders, as in a checkout.
RUN uv pip install --python /opt/opsloom/bin/python --no-cache --no-deps --no-build-isolation --editable .

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 opsloom \
    && useradd --uid 10001 --gid opsloom --no-create-home --home-dir /data --shell /usr/sbin/nologin opsloom \
    && install -d -o opsloom -g opsloom /data
COPY --from=build /opt/opsloom /opt/opsloom
COPY --from=build /app /app
ENV PATH=/opt/opsloom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPSLOOM_DATA_DIR=/data
USER 10001:10001
WORKDIR /app
VOLUME /data
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s --retries=3 CMD ["opsloom", "topics", "check"]
# A worker's id must be its own and survive a restart of its container: the container's name for itself does both.
ENTRYPOINT ["/bin/sh", "-c", "OPSLOOM_WORKER_ID=${OPSLOOM_WORKER_ID:-$(hostname)} exec opsloom \"$@\"", "opsloom"]
CMD ["--help"]
