//! A TCP server, a thread per connection; stops when dropped. Its port closes while it is ordered to refuse.

use super::fault::Place;
use super::orders::{Orders, Port};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The most connections at once; what comes beyond is closed without a word.
pub const CONNECTIONS_MAX: usize = 512;

/// The longest that a client may say nothing.
const IDLE_MAX: Duration = Duration::from_secs(15 * 60);

/// How long it waits after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);

/// The running listener.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    waker: Arc<Waker>,
    acceptor: Option<JoinHandle<()>>,
}

impl Listener {
    /// Gives each connection, with its number from 0, to `serve` on a thread of its own, which ends with its connection.
    /// `place` is where a [`super::fault::Fault::Refuse`] closes this port.
    pub(super) fn start(
        address: SocketAddr,
        place: Place,
        orders: &Arc<Orders>,
        serve: impl Fn(TcpStream, usize) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let mut listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let mut acceptor = Acceptor {
            address,
            place,
            orders: Arc::clone(orders),
            is_over: Arc::clone(&is_over),
            poll,
            listener: Some(listener),
            accepted: 0,
            open: Arc::default(),
        };
        orders.wake(Arc::clone(&waker));
        let serve = Arc::new(serve);
        let acceptor = std::thread::Builder::new()
            .name("simulate-accept".into())
            .spawn(move || acceptor.run(&serve))?;
        Ok(Self {
            address,
            is_over,
            waker,
            acceptor: Some(acceptor),
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Err(why) = self.waker.wake() {
            log::debug!("a listener cannot be woken: {why}");
            return;
        }
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

struct Acceptor {
    address: SocketAddr,
    place: Place,
    orders: Arc<Orders>,
    is_over: Arc<AtomicBool>,
    poll: Poll,
    /// None while it refuses.
    listener: Option<TcpListener>,
    accepted: usize,
    open: Arc<Open>,
}

impl Acceptor {
    fn run(&mut self, serve: &Arc<impl Fn(TcpStream, usize) + Send + Sync + 'static>) {
        let mut events = Events::with_capacity(16);
        while !self.is_over.load(Ordering::Acquire) {
            let wait = match self.look(serve) {
                Ok(wait) => wait,
                Err(why) => {
                    log::warn!("{} accepts nothing for now: {why}", self.address);
                    Some(PAUSE)
                }
            };
            match self.poll.poll(&mut events, wait) {
                Err(why) if why.kind() != ErrorKind::Interrupted => {
                    log::error!("{} is not served any more: {why}", self.address);
                    return;
                }
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Opens or closes the port as ordered, and accepts all who wait; when to look again, if nothing happens before.
    fn look(
        &mut self,
        serve: &Arc<impl Fn(TcpStream, usize) + Send + Sync + 'static>,
    ) -> io::Result<Option<Duration>> {
        if let Port::Closed { until } = self.orders.port(self.place) {
            if self.listener.take().is_some() {
                self.open.end();
            }
            // Rounded up, for a moment too early would be too early for ever.
            let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
            return Ok(wait.map(|wait| wait + Duration::from_millis(1)));
        }
        if self.listener.is_none() {
            let mut listener = TcpListener::bind(self.address)?;
            self.poll
                .registry()
                .register(&mut listener, LISTENER, Interest::READABLE)?;
            self.listener = Some(listener);
        }
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((socket, _)) => self.hand_over(socket.into(), serve)?,
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) if why.kind() == ErrorKind::ConnectionAborted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(None)
    }

    fn hand_over(
        &mut self,
        socket: TcpStream,
        serve: &Arc<impl Fn(TcpStream, usize) + Send + Sync + 'static>,
    ) -> io::Result<()> {
        if self.open.lock().len() >= CONNECTIONS_MAX {
            log::warn!("{}: more than {CONNECTIONS_MAX} connections", self.address);
            return Ok(());
        }
        socket.set_nonblocking(false)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(IDLE_MAX))?;
        socket.set_write_timeout(Some(IDLE_MAX))?;
        let number = self.accepted;
        self.accepted += 1;
        self.open.lock().insert(number, socket.try_clone()?);
        let (serve, guest) = (Arc::clone(serve), Guest(Arc::clone(&self.open), number));
        std::thread::Builder::new()
            .name(format!("simulate-{number}"))
            .spawn(move || {
                serve(socket, number);
                drop(guest);
            })?;
        Ok(())
    }
}

/// The connections that are served.
#[derive(Default)]
struct Open(Mutex<HashMap<usize, TcpStream>>);

impl Open {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends them as a server does that is stopped: what has been asked is answered.
    fn end(&self) {
        for socket in self.lock().values() {
            if let Err(why) = socket.shutdown(Shutdown::Read) {
                log::debug!("a connection has ended by itself: {why}");
            }
        }
    }
}

/// A connection that counts as open until this is dropped.
struct Guest(Arc<Open>, usize);

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}
