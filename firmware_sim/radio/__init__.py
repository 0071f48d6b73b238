"""The virtual air: bumble's controllers, links that fade and lose, faults on demand.

In: hosts, in this process or over sockets. Out: HCI to each, as from a controller of its own.
Imported by whoever makes an air; imports nothing else of the simulation.
"""
