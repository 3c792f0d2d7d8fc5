"""The compiled parts of logopsd/compiled, which setup.cfg cannot name; all else stands there.

They are optional: without a compiler, or the headers of Python, the daemon is pure Python.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(f"logopsd.compiled.{name}", [f"logopsd/compiled/{name}.pyx"], optional=True)
        for name in (
            "counted",
            "datagrams",
            "depth",
            "fields",
            "headers",
            "leaves",
            "payloads",
            "sieve",
            "stamps",
        )
    ]
)
