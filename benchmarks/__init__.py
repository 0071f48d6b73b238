"""Proof of what forceband promises: accuracy on simulated sessions and cost against scipy."""
