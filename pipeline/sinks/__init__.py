"""Where results go: MQTT, InfluxDB, the live page, files."""
