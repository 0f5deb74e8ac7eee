//! Whose turn it is: tasks for the workers by client, and guests that run or wait. Nothing here knows a connection.

pub mod admission;
pub mod fair_queue;
pub mod scheduler;
pub mod share;
pub mod task;
pub mod task_lines;
