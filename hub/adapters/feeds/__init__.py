"""How files reach the readers by themselves: a watched folder, a pull from a FHIR server, hints that it has news."""
