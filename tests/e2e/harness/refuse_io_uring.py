"""Forbids the system calls of io_uring to this process, as containers' seccomp profiles do.

For `preexec_fn` of subprocess: a filter that answers io_uring_setup, _enter and _register with the
given errno and allows all else.
"""

import ctypes
import platform
import struct

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
# The same numbers on every architecture that came after they were added (asm-generic).
IO_URING_CALLS = (425, 426, 427)
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def refuse_io_uring(errno: int) -> None:
    assert platform.machine() in ("x86_64", "aarch64")
    program = instruction(LOAD_WORD, 0)  # the number of the call
    for place, number in enumerate(IO_URING_CALLS):
        program += instruction(JUMP_IF_EQUAL, number, len(IO_URING_CALLS) - place)
    program += instruction(RETURN, ALLOW) + instruction(RETURN, ERRNO | errno)
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")
