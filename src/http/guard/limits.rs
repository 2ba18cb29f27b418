//! Every limit the guard holds a client to, by name, with its unit last in the name and its reason beside it.

use super::proxy::Network;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// Open connections, whatever the descriptor limit would allow.
pub const CONNECTIONS_MAX: usize = 4096;
/// Open connections of one address (an IPv6 /64 counts as one). Generous, for a proxy or a test driver on loopback.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1024;
/// Descriptors the guard leaves to the database, outgoing connections and files.
pub const DESCRIPTORS_RESERVED: usize = 128;
/// Connections the guard allows even where descriptors are scarcer than the reserve; accept itself then says "no more".
pub const CONNECTIONS_MIN: usize = 16;
/// Request line and headers up to the empty line; trailers of a chunked body count too.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header lines, trailers included.
pub const HEADERS_MAX: usize = 64;
/// Time for a whole head, from its first byte.
pub const HEAD_TIMEOUT_MILLIS: u64 = 10_000;
/// Silence before the first byte of a request, on a new connection or a reused one.
pub const KEEP_ALIVE_MILLIS: u64 = 30_000;
/// Requests on one connection; the last reply says that it closes. A client that renews its connection now and then
/// does not notice, one that pipelines without end does.
pub const REQUESTS_PER_CONNECTION_MAX: usize = 100_000;
/// One body.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Time a body has before its rate counts.
pub const BODY_GRACE_MILLIS: u64 = 10_000;
/// What a body must bring on average after its grace.
pub const BODY_BYTES_PER_SEC_MIN: usize = 16 * 1024;
/// All bodies in memory together: being read, queued or in a handler.
pub const BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The line that opens a chunk, its extensions included.
pub const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Silence of a client that is to take a reply.
pub const REPLY_STALL_MILLIS: u64 = 30_000;
/// What a client must take on average, once the stall time has passed.
pub const REPLY_BYTES_PER_SEC_MIN: usize = 4 * 1024;
/// Unwritten replies of all slow clients together; beyond it the one nearest its deadline is dropped.
pub const REPLIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Time for a client to take the last reply and close, after we have closed our side.
pub const LINGER_MILLIS: u64 = 1_000;
/// What is read and thrown away meanwhile.
pub const LINGER_BYTES_MAX: usize = 256 * 1024;
/// Requests inside handlers at once, each on its own thread.
pub const HANDLERS_MAX: usize = 96;
/// The stack of a handler thread.
pub const HANDLER_STACK_BYTES: usize = 2 * 1024 * 1024;
/// Replies that are written while they come into being at once, such as events and downloads, each made by a thread of
/// its own; beyond it the answer is 503.
pub const STREAMS_MAX: usize = 16;
/// Requests waiting for a handler; beyond it the answer is 503.
pub const QUEUE_MAX: usize = 256;

/// The limits of one guard; [`Default`] is the constants of this module.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the constant of the same name")]
pub struct Limits {
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub descriptors_reserved: usize,
    pub head_bytes_max: usize,
    pub headers_max: usize,
    pub head_timeout_millis: u64,
    pub keep_alive_millis: u64,
    pub requests_per_connection_max: usize,
    pub body_bytes_max: usize,
    pub body_grace_millis: u64,
    pub body_bytes_per_sec_min: usize,
    pub bodies_bytes_max: usize,
    pub chunk_line_bytes_max: usize,
    pub reply_stall_millis: u64,
    pub reply_bytes_per_sec_min: usize,
    pub replies_bytes_max: usize,
    pub linger_millis: u64,
    pub linger_bytes_max: usize,
    pub handlers_max: usize,
    pub handler_stack_bytes: usize,
    pub streams_max: usize,
    pub queue_max: usize,
    /// Proxies, which bring many clients over one address and whose word about them is believed; none by default.
    pub trusted_proxies: Vec<Network>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            descriptors_reserved: DESCRIPTORS_RESERVED,
            head_bytes_max: HEAD_BYTES_MAX,
            headers_max: HEADERS_MAX,
            head_timeout_millis: HEAD_TIMEOUT_MILLIS,
            keep_alive_millis: KEEP_ALIVE_MILLIS,
            requests_per_connection_max: REQUESTS_PER_CONNECTION_MAX,
            body_bytes_max: BODY_BYTES_MAX,
            body_grace_millis: BODY_GRACE_MILLIS,
            body_bytes_per_sec_min: BODY_BYTES_PER_SEC_MIN,
            bodies_bytes_max: BODIES_BYTES_MAX,
            chunk_line_bytes_max: CHUNK_LINE_BYTES_MAX,
            reply_stall_millis: REPLY_STALL_MILLIS,
            reply_bytes_per_sec_min: REPLY_BYTES_PER_SEC_MIN,
            replies_bytes_max: REPLIES_BYTES_MAX,
            linger_millis: LINGER_MILLIS,
            linger_bytes_max: LINGER_BYTES_MAX,
            handlers_max: HANDLERS_MAX,
            handler_stack_bytes: HANDLER_STACK_BYTES,
            streams_max: STREAMS_MAX,
            queue_max: QUEUE_MAX,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Limits {
    pub(super) fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_timeout_millis)
    }

    pub(super) fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.keep_alive_millis)
    }

    pub(super) fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_millis)
    }

    pub(super) fn reply_stall(&self) -> Duration {
        Duration::from_millis(self.reply_stall_millis)
    }

    /// How long a body may have taken once `received` bytes of it are here.
    pub(super) fn body_time(&self, received: usize) -> Duration {
        Duration::from_millis(self.body_grace_millis)
            + transfer_time(received, self.body_bytes_per_sec_min)
    }

    /// How long a whole reply of this length may take.
    pub(super) fn reply_time(&self, length: usize) -> Duration {
        self.reply_stall() + transfer_time(length, self.reply_bytes_per_sec_min)
    }

    /// The connection cap under a descriptor limit (`None`: unlimited).
    pub(super) fn connections_under(&self, descriptors: Option<u64>) -> usize {
        let available =
            descriptors.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        available
            .saturating_sub(self.descriptors_reserved)
            .max(CONNECTIONS_MIN)
            .min(self.connections_max)
    }
}

fn transfer_time(bytes: usize, bytes_per_sec: usize) -> Duration {
    let (bytes, rate) = (bytes as u64, bytes_per_sec.max(1) as u64);
    Duration::from_millis(bytes.saturating_mul(1000) / rate)
}

/// Raises the soft descriptor limit to the hard one and says what holds now (`None`: unlimited).
pub(super) fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current == limit.maximum {
        return limit.current;
    }
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            // macOS reports "unlimited" but refuses to set it; the soft limit then stands.
            log::warn!("The descriptor limit could not be raised: {error}.");
            limit.current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_cap_leaves_descriptors_to_others() {
        let limits = Limits::default();
        assert_eq!(limits.connections_under(Some(256)), 128);
        assert_eq!(limits.connections_under(Some(64)), CONNECTIONS_MIN);
        assert_eq!(limits.connections_under(Some(1 << 20)), CONNECTIONS_MAX);
        assert_eq!(limits.connections_under(None), CONNECTIONS_MAX);
    }
}
