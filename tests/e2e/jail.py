"""Runs a program under the limits that logopsd.service sets, without a running systemd.

usage: jail.py UNIT PROGRAM ARGS...

SystemCallFilter= and RestrictAddressFamilies=AF_UNIX become a filter of system calls by
libseccomp, which systemd itself uses; MemoryDenyWriteExecute= and NoNewPrivileges= are asked of
the kernel. The namespaces of the unit are the caller's.
"""

import ctypes
import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

PR_SET_NO_NEW_PRIVS = 38
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
ALLOW = 0x7FFF0000
FAIL = 0x00050000  # SCMP_ACT_ERRNO, the number of the error in its lower half
NOT_EQUAL, EQUAL = 1, 4


class Compare(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("mask", ctypes.c_uint64),
    )


def calls_of(group: str) -> set[str]:
    """The system calls of one of systemd's groups, those of the groups in it with them."""
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    found = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            found |= calls_of(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def allowed_by(unit: Path) -> set[str]:
    """The system calls that a unit allows."""
    allowed: set[str] = set()
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.MULTILINE):
        groups = set().union(*(calls_of(word) for word in words.lstrip("~").split()))
        allowed = allowed - groups if words.startswith("~") else allowed | groups
    return allowed


def confine(allowed: set[str]) -> None:
    """Let this process, and what it becomes, make no other system calls."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(FAIL | errno.EPERM))
    for name in allowed:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and name != "socket":
            seccomp.seccomp_rule_add(context, ALLOW, number, 0)
    unix = int(socket.AF_UNIX)
    number = seccomp.seccomp_syscall_resolve_name(b"socket")
    seccomp.seccomp_rule_add(context, ALLOW, number, 1, Compare(0, EQUAL, unix, 0))
    refused = FAIL | errno.EAFNOSUPPORT
    seccomp.seccomp_rule_add(context, refused, number, 1, Compare(0, NOT_EQUAL, unix, 0))
    kernel = ctypes.CDLL(None)
    kernel.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)  # from kernel 6.3 on
    kernel.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if seccomp.seccomp_load(context):
        sys.exit("the filter cannot be loaded")


if __name__ == "__main__":
    confine(allowed_by(Path(sys.argv[1])))
    os.execvp(sys.argv[2], sys.argv[2:])
