# The API; the database is somebody else's: set DATABASE_URL.

FROM python:3.13-slim AS builder

RUN pip install --no-cache-dir "uv>=0.13,<0.14"
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=/srv/zenith/.venv
WORKDIR /srv/zenith
RUN uv venv "$VIRTUAL_ENV"

# Dependencies change less often than the code, so they have a layer of their own.
COPY requirements.lock ./
RUN uv pip install --no-cache --compile-bytecode --require-hashes -r requirements.lock

# Installed as it lies here, since migrations are found beside the package.
COPY pyproject.toml README.md LICENSE ./
COPY alembic ./alembic
COPY app ./app
RUN uv pip install --no-cache --no-deps --editable . \
    && python -m compileall -q app alembic


FROM python:3.13-slim

# PostgreSQL's initdb, for a trial without DATABASE_URL, asks for a user with a name.
RUN groupadd --gid 10001 zenith \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/zenith zenith \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/zenith

COPY --from=builder /srv/zenith /srv/zenith
ENV PATH="/srv/zenith/.venv/bin:$PATH" PYTHONUNBUFFERED=1 ZENITH_HOME=/var/lib/zenith
WORKDIR /var/lib/zenith
USER 10001:10001

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
CMD ["zenith", "serve", "--host", "0.0.0.0"]
