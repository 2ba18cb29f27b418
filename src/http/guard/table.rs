//! The open connections, how many each address has, and which of them gives way when there are too many.

use super::connection::{Connection, Phase};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

/// Classes in the order in which connections give way; the longest-waiting of a class goes first.
const RANK_LINGERING: u64 = 0;
const RANK_WAITING: u64 = 1 << 62;
const RANK_BODY: u64 = 2 << 62;
const RANK_NEVER: u64 = u64::MAX;

/// What choosing needs to know of a connection, side by side so that looking through thousands is quick.
#[derive(Debug, Clone, Copy)]
struct Seat {
    rank: u64,
    address: Option<IpAddr>,
}

/// Connections by token.
#[derive(Debug)]
pub(super) struct Table {
    started: Instant,
    slots: Vec<Option<Box<Connection>>>,
    seats: Vec<Seat>,
    free: Vec<usize>,
    per_address: HashMap<IpAddr, usize>,
    open: usize,
}

impl Table {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            slots: Vec::new(),
            seats: Vec::new(),
            free: Vec::new(),
            per_address: HashMap::new(),
            open: 0,
        }
    }

    /// Open connections.
    pub(super) fn len(&self) -> usize {
        self.open
    }

    /// Open connections of this address.
    pub(super) fn len_of(&self, address: IpAddr) -> usize {
        self.per_address
            .get(&network_of(address))
            .copied()
            .unwrap_or(0)
    }

    /// A token for a new connection, which [`Table::put`] then takes.
    pub(super) fn enter(&mut self, peer: Option<IpAddr>) -> usize {
        let address = peer.map(network_of);
        let seat = Seat {
            rank: RANK_NEVER,
            address,
        };
        self.open += 1;
        if let Some(address) = address {
            *self.per_address.entry(address).or_default() += 1;
        }
        if let Some(token) = self.free.pop() {
            self.seats[token] = seat;
            return token;
        }
        self.slots.push(None);
        self.seats.push(seat);
        self.slots.len() - 1
    }

    /// Frees a token whose connection was taken and is not put back.
    pub(super) fn leave(&mut self, token: usize) {
        let seat = &mut self.seats[token];
        seat.rank = RANK_NEVER;
        self.free.push(token);
        self.open -= 1;
        if let Some(address) = seat.address.take()
            && let Some(count) = self.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
    }

    /// Takes a connection out to work on it; `None` for a stale token.
    pub(super) fn take(&mut self, token: usize) -> Option<Box<Connection>> {
        self.slots.get_mut(token)?.take()
    }

    /// Puts a connection back, ranked anew.
    pub(super) fn put(&mut self, token: usize, connection: Box<Connection>) {
        let waited = connection
            .waiting_since
            .saturating_duration_since(self.started);
        let millis = u64::try_from(waited.as_millis()).unwrap_or(RANK_WAITING - 1);
        self.seats[token].rank = match connection.phase {
            Phase::Lingering { .. } => RANK_LINGERING + millis,
            Phase::Idle | Phase::Head => RANK_WAITING + millis,
            Phase::Body(_) => RANK_BODY + millis,
            Phase::Handling | Phase::Writing(_) | Phase::Streaming(_) => RANK_NEVER,
        };
        self.slots[token] = Some(connection);
    }

    /// The connection that gives way first, of this address or of all.
    pub(super) fn first_to_go(&self, address: Option<IpAddr>) -> Option<usize> {
        let address = address.map(network_of);
        let eligible =
            |seat: &Seat| seat.rank != RANK_NEVER && (address.is_none() || seat.address == address);
        let seats = self.seats.iter().enumerate();
        let (token, _) = seats
            .filter(|(_, seat)| eligible(seat))
            .min_by_key(|(_, seat)| seat.rank)?;
        Some(token)
    }

    /// Every open connection and its token.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Connection)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(token, slot)| Some((token, slot.as_deref()?)))
    }
}

/// An IPv6 client commonly has a whole /64, so that counts as one address.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}
