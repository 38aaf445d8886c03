FROM python:3.13-slim AS build
WORKDIR /srv/slipstream
RUN python -m venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY pyproject.toml alembic.ini ./
COPY migrations migrations
COPY app app
# Editable, so that app, migrations and alembic.ini lie beside each other as in a checkout.
RUN pip install --no-deps --no-build-isolation --editable . && python -m compileall -q app migrations

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/slipstream slipstream
COPY --from=build /srv /srv
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 SLIPSTREAM_DATA_DIR=/var/lib/slipstream
WORKDIR /srv/slipstream
USER slipstream
VOLUME /var/lib/slipstream
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["slipstream", "health"]
CMD ["slipstream", "serve", "--host", "0.0.0.0"]
