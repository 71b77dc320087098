//! The matrix, for testers: what became of the last messages for each person.
//!
//! Only testing mode and the demo have it. While it is not shown, nothing is asked for and nothing is counted.
//!
//! Its parts; each uses only those listed after it:

mod view;

mod grid;

mod person;

pub(crate) use grid::{GridState, grid_ui};
pub(crate) use view::{MatrixView, csv_file, matrix_ui};
