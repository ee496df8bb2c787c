//! Load that is made up, and what the program does with it.

pub mod traffic;
