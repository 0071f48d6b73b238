"""The coach, pure: what a session emits and what the person asks for in, cues and screens out.

In: a library of exercises and programmes, and events. Out: what to show, say and sound, and when.
Imported by sinks, views and the commands; imports only `session` and `analysis`.
"""
