"""The parts of ``benchmarks.map``: each measures one promise of the map and gives rows."""
