# forceband with its simulated band, or `serve` with a real one (docs/always-on.md); compose.yaml puts
# broker, InfluxDB and Grafana beside it.
FROM python:3.12-slim

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sensor sensor
COPY firmware_sim firmware_sim
COPY pipeline pipeline
COPY dashboards dashboards
# of the extras (README.md) the demo needs only this one
ARG EXTRAS=sim
RUN pip install --no-cache-dir --disable-pip-version-check -c constraints.txt ".[$EXTRAS]" \
 && useradd --uid 1000 --create-home forceband \
 && install -d -o forceband /data

WORKDIR /data
USER 1000
ENV FORCEBAND_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8642
ENTRYPOINT ["forceband"]
CMD ["demo"]
