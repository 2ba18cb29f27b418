//! Whether the first byte of a request had left us when a call failed: the line between "try again" and "in doubt".
//!
//! The client's errors do not tell, for the same reset can come in the TLS handshake and while waiting for the answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// Set when a request begins to leave; shared by a client and its connections.
#[derive(Debug, Clone, Default)]
pub(super) struct SentMark(Arc<AtomicBool>);

impl SentMark {
    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The usual way to connect, TLS included, with the mark around its outcome.
pub(super) fn connector(mark: SentMark) -> impl Connector {
    MarkingConnector {
        inner: DefaultConnector::default(),
        mark,
    }
}

struct MarkingConnector {
    inner: DefaultConnector,
    mark: SentMark,
}

impl fmt::Debug for MarkingConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MarkingConnector")
    }
}

impl Connector for MarkingConnector {
    type Out = MarkingTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let inner = self.inner.connect(details, chained)?;
        let mark = self.mark.clone();
        Ok(inner.map(|inner| MarkingTransport { inner, mark }))
    }
}

#[derive(Debug)]
struct MarkingTransport {
    inner: Box<dyn Transport>,
    mark: SentMark,
}

impl Transport for MarkingTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        // Before the write, not after it: a write that fails may have sent a part.
        self.mark.0.store(true, Ordering::Relaxed);
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
