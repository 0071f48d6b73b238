"""The devices of others that measure force: what each sends, and what to write to it.

In: advertisements and payloads as received. Out: which device it is, its forces and its stamps.
One file a family, pure; imported by the session, the Bluetooth client and the simulated devices.
"""
