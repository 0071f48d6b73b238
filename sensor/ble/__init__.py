"""The Bluetooth client: a band as a source of notifications.

In: a band's name or address. Out: what it sends, over lost links, with its losses asked for again.
Imported by the pipeline's sources and commands; the only user of bleak beside `bumble_backend`.
"""
