"""Decisions and plans into words: the only place where a reason becomes a sentence. Pure: no I/O, no clock, no dbt.

What is shown comes in as the frozen views of :mod:`afresh.render.views`; it leaves as text, Markdown or the documented
JSON. Whether there is a terminal, how wide it is and whether it takes colours is the caller's knowledge.
"""
