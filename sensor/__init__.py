"""The band as data: wire format, clock, calibration, recordings; the Bluetooth client."""
