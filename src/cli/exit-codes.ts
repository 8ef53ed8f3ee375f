/**
 * No exit code at all: the process has to end itself with SIGKILL, because a thread hangs in a system call that never
 * returns and an orderly exit would wait for it. All that had to be written is written.
 */
export const EXIT_BY_KILL = -1;
