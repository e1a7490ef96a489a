# The HTTP service of docs/serve.md:
#   docker build -t fer-live .
#   docker run --read-only --tmpfs /tmp -p 127.0.0.1:8320:8320 -e FER_LIVE_TOKEN fer-live
# `python -m benchmarks.without_docker` runs these steps in a bare Debian without Docker.

FROM debian:bookworm-slim AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
COPY . /src
RUN python3 -m venv /opt/fer-live && /opt/fer-live/bin/pip install --quiet --no-cache-dir '/src[serve]'

FROM debian:bookworm-slim
COPY fer_live/base/system_packages.txt /usr/share/fer-live/system_packages.txt
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 libgles2 libglib2.0-0 $(awk '/headless/ && !/^#/ {print $2}' /usr/share/fer-live/system_packages.txt) && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /home/fer-live fer-live
COPY --from=build /opt/fer-live /opt/fer-live
ENV FER_LIVE_HOME=/home/fer-live
USER 10001
EXPOSE 8320
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["/opt/fer-live/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8320/health', timeout=4)"]
ENTRYPOINT ["/opt/fer-live/bin/fer-live", "serve", "--host", "0.0.0.0"]
