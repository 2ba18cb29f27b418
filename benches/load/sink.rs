//! A mail server that takes everything and keeps nothing, a thread per connection.

use crate::Result;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::Instant;

/// Counts the mails it has taken.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    taken: AtomicUsize,
    wanted: usize,
    span: Mutex<(Option<Instant>, Option<Instant>)>,
    waiter: Thread,
}

impl Sink {
    /// A sink for this many mails; the thread that makes it is woken after the last.
    pub(crate) fn start(wanted: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            taken: AtomicUsize::new(0),
            wanted,
            span: Mutex::default(),
            waiter: std::thread::current(),
        });
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || drop(serve(&stream, &state)));
            }
        });
        Ok(Self { address, state })
    }

    pub(crate) fn taken(&self) -> usize {
        self.state.taken.load(Ordering::Relaxed)
    }

    /// Seconds from the first connection to the last of the wanted mails, once it is there.
    pub(crate) fn secs(&self) -> Option<f64> {
        match *self
            .state
            .span
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
        {
            (Some(first), Some(last)) => Some((last - first).as_secs_f64()),
            _ => None,
        }
    }
}

impl State {
    fn begin(&self) {
        let mut span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        span.0.get_or_insert_with(Instant::now);
    }

    fn count(&self) {
        if self.taken.fetch_add(1, Ordering::Relaxed) + 1 == self.wanted {
            self.span.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(Instant::now());
            self.waiter.unpark();
        }
    }
}

fn serve(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    state.begin();
    let mut writer = stream;
    let mut reader = BufReader::with_capacity(16 * 1024, stream);
    let mut line = Vec::with_capacity(1024);
    writer.write_all(b"220 sink ESMTP\r\n")?;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let reply: &[u8] = match line.get(..4).unwrap_or_default() {
            b"EHLO" => b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            b"DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                loop {
                    line.clear();
                    if reader.read_until(b'\n', &mut line)? == 0 {
                        return Ok(());
                    }
                    if line == b".\r\n" {
                        break;
                    }
                }
                state.count();
                b"250 2.0.0 taken\r\n"
            }
            b"QUIT" => return writer.write_all(b"221 bye\r\n"),
            _ => b"250 ok\r\n",
        };
        writer.write_all(reply)?;
    }
}
