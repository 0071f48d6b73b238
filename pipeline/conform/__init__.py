"""Which promises of the profile a band keeps: each tried over the air, told in plain words.

In: a band within reach. Out: promises, kept or broken, with what was seen. Imported by commands.
"""
