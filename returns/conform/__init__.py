"""From raw texts to typed, coded values: figures, periods, units, regions, duplicates. Not here: where texts stand."""
