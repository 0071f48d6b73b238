"""Where results go: MQTT, InfluxDB, the live page; one folder each, none knows another.

In: events and facts about their session. Out: what other programs understand.
Imported by delivery, checkup and commands; imports only session, analysis and sensor.
"""
