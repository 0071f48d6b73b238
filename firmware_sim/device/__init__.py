"""What is pulled at: strain gauge, memory, firmware, GATT server.

In: newtons, time and commands. Out: frames and responses, as bytes of the band's profile.
Imported by the band that joins person and device; imports nothing else of the simulation.
"""
