//! The program: everything it does is in [`codewell::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    codewell::cli::main()
}
