"""HL7 v2 messages (2.1 to 2.8) read into patients, stays and order lines, and answered."""
