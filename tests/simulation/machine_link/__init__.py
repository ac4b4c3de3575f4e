"""Hub dispatch, broker, bridge, link, firmware and machine in one process under virtual time, with seeded faults."""
