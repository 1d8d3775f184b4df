"""The page that is served: on loopback, under a token, to whoever listens, picks, marks and re-rolls."""
