"""Files of force and of results, read and written.

In: recordings and CSV files. Out: their analysis; CSV and Parquet for other programs.
Imported by commands; imports views, session and analysis.
"""
