"""The band in software: elastic band, person, strain gauge, firmware, radio, faults on demand."""
