"""A run or plan with nothing to do, known at once: from a stamp of all that decides, held against the disk again.

`words`, `stamp` and `looking` are what every start imports before anything else. They import nothing but what Python
has loaded already, a checksum and a hash (tests/house/test_arrows_between_rooms.py). `hashes` and `taking` are the
other side: a plan that was made the long way, and found nothing to do, leaves a stamp.
"""
