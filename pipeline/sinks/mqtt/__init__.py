"""Results over MQTT: topics, retained state, events with ids, commands, Home Assistant."""
