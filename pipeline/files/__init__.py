"""Files of force and of results, read and written.

In: recordings, and tables of force over time in any common kind. Out: samples and their analysis;
recordings; CSV and Parquet for other programs. Imported by commands; imports views, session and
analysis.
"""
