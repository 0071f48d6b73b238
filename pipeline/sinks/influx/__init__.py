"""Results and force as InfluxDB points, acknowledged only when written."""
