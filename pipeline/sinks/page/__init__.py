"""The live page: what viewers are sent, and who may view."""
