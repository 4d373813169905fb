# The service in a container: docker build -t facegauge . && docker run --rm -p 127.0.0.1:8000:8000 facegauge
#
# The first stage builds a wheel, the second has nothing but what runs: no compiler, no root.
FROM python:3.12-slim AS build
WORKDIR /build
COPY pyproject.toml hatch_build.py README.md LICENSE CHANGELOG.md ./
COPY src ./src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN --mount=from=build,source=/wheels,target=/wheels \
    wheel="$(ls /wheels/*.whl)" && pip install --no-cache-dir "facegauge[serve] @ file://$wheel" \
    && useradd --system --no-create-home --shell /usr/sbin/nologin facegauge
USER facegauge
EXPOSE 8000
# Docker sends SIGTERM and waits ten seconds; what was accepted is answered within eight.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["facegauge", "serve"]
CMD ["--host", "0.0.0.0", "--port", "8000", "--grace-seconds", "8"]
