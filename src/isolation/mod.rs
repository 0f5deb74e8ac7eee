//! Guests in processes of their own: what confines a process, the processes, and what they say to each other.

pub mod confine;
