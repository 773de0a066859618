"""What to ask a warehouse about change, and how to read its answers. Pure: it never talks to a warehouse.

A probe is a generator that yields asks and is sent the answers (:mod:`afresh.warehouse.asks`). Newcomers read
:mod:`afresh.warehouse.probe` (the words), :mod:`afresh.warehouse.engine` (what an engine offers) and then one engine.
"""
