"""A source becomes a finished asset: decode, inspect, measure, shape, level, encode. Pure, and picklable."""
