"""The code version of a node: what it would compute, in named parts (semantics §1, "Code version").

Pure: texts and plain values in, digests and names out. Nothing here opens a file, asks a warehouse or imports dbt.
The rule of the package: two things may be called equal only if no engine could tell them apart; a doubt is a difference.
"""
