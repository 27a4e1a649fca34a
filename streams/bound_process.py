"""A child process that ends when its parent ends, however the parent ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence

# The watcher reads a pipe whose other end only the parent holds: the kernel closes that end even
# when the parent is killed with SIGKILL. `exec` keeps the shell's process id ($$) for the program
# itself, so the watcher is there before the program and knows its id without being told. This works
# on every POSIX system and from any thread; Linux's PR_SET_PDEATHSIG fires when the *thread* ends.
_GUARD = """
exec 3<&0 </dev/null
(
    read -r word <&3
    if [ "$word" = released ]; then exit 0; fi
    kill -TERM $$
    tenths=0
    while [ $tenths -lt {grace_tenths} ]; do
        kill -0 $$ || exit 0
        # Dead but not yet collected by init: there is no program behind it any more.
        if [ -d /proc/self ] && [ ! -e /proc/$$/exe ]; then exit 0; fi
        sleep 0.1
        tenths=$((tenths + 1))
    done
    kill -KILL $$
) >/dev/null 2>&1 &
exec "$@" 3<&-
"""


class BoundProcess:
    """A running program, in a session of its own, that never outlives the process that started it.

    When the parent disappears the program gets SIGTERM and, `grace_s` later, SIGKILL. A session of
    its own means that Ctrl-C in the terminal reaches the parent alone, which then stops its children
    in the order it wants. The pipe is not inherited by programs the parent executes; a child *forked*
    without exec would inherit it and keep the program alive, so use spawn.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        output_fd: int,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        grace_s: float = 10.0,
    ) -> None:
        """Start `argv`; what it prints on both streams goes to `output_fd` (the caller closes his copy)."""
        script = _GUARD.format(grace_tenths=max(1, round(grace_s * 10)))
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", script, argv[0], *argv],
            stdin=subprocess.PIPE,
            stdout=output_fd,
            stderr=output_fd,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the program itself."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the exit code, or minus the signal's number, afterwards."""
        return self._process.poll()

    def stop(self, timeout_s: float) -> bool:
        """SIGTERM, wait up to `timeout_s`, then SIGKILL. True if it went by itself. Repeatable."""
        went_by_itself = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                went_by_itself = False
                self._process.kill()
                self._process.wait()
        self._release()
        return went_by_itself

    def kill(self) -> None:
        """SIGKILL at once and wait until it is gone."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._release()

    def _release(self) -> None:
        """Tell the watcher that the program's id is no longer ours to signal."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        with contextlib.suppress(OSError):
            os.write(pipe.fileno(), b"released\n")
        with contextlib.suppress(OSError):
            pipe.close()
