"""The language of the product and its one decision. Pure: no I/O, no clock, no threads.

A newcomer reads :mod:`afresh.core.reason`, :mod:`afresh.core.decision` and :mod:`afresh.core.decide`, in this order.
"""
