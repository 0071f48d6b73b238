"""The band in software: elastic, person, strain gauge, firmware, radio, faults on demand.

In: a seed. Out: a Bluetooth peripheral, or what a client would have received, and the truth.
Imported only by commands, tests and benchmarks.
"""
