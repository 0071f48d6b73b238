"""What people look at: the live page and the Grafana board."""
