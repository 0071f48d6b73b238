"""From notifications to reps, sets and sinks; the command line."""
