//! What a process gives up before it runs a guest: new privileges, files, system calls, memory beyond a bound.
