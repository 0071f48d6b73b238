"""Who pulls: the elastic band, movements and workouts.

In: a seed and a plan. Out: force over time, and the truth of each pull.
Imported by the band that joins person and device; imports nothing else of the simulation.
"""
