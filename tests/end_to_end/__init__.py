"""The whole way: band, radio, recording, reps, and everywhere they go."""
