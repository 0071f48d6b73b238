"""Results for the eye: tables, a picture, a line in the terminal.

In: an analysis or events. Out: rich tables, an image, text.
Imported by files, the composition root and commands; knows no file format and no sink.
"""
