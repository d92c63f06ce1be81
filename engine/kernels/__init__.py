"""The compiled loops. Each module `<op>_<algorithm>` builds one kernel `(params, lo, hi, scratch)` of four int64.

Importing this package does not import numba; the kernel modules do, in the process that compiles them.
"""
