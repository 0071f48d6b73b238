"""Devices of others in software, each with the faults it is known for.

In: a person's force, and what a client writes. Out: what such a device sends, on any HCI transport.
Imported by the command line and by tests; built on `sensor.drivers`' constants, not its decoders.
"""
