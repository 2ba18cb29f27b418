//! Arguments to a command, an error to an exit code.

/// A sixth of what accepting a message costs was the C library's memory management.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    herald::cli::main()
}
