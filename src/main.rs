//! Arguments to a command, an error to an exit code.

fn main() -> std::process::ExitCode {
    herald::cli::main()
}
