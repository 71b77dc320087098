//! Parse the arguments, start what they name, print the one error.

use std::process::ExitCode;

fn main() -> ExitCode {
    fanfare::cli::run()
}
