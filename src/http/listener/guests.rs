//! Who is connected: how many in all and from each address, who waits and since when, and who has
//! to give way.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::socket::Stream;
use crate::settings::Network;

/// A guest who has sent a whole head and is being served.
const SERVED: u64 = 0;
/// A guest whose connection was ended while it waited.
const SHOWN_OUT: u64 = u64::MAX;

/// How long whoever was cut off has to put things in order.
const CUT_OFF_REST: Duration = Duration::from_millis(200);

/// All connections.
pub(super) struct Guests {
    state: Mutex<State>,
    gone: Condvar,
    closing: AtomicBool,
    began: Instant,
    total_max: usize,
    per_address_max: usize,
    /// Addresses for which only the total counts.
    apart: Vec<Network>,
}

#[derive(Default)]
struct State {
    last: u64,
    all: HashMap<u64, Arc<Guest>>,
    by_address: HashMap<IpAddr, usize>,
}

struct Guest {
    stream: Arc<Stream>,
    /// What it counts under; `None` where only the total counts.
    address: Option<IpAddr>,
    /// `SERVED`, `SHOWN_OUT`, or since when it has waited for a whole head: milliseconds after
    /// `began`, plus 1.
    waits: AtomicU64,
}

/// A guest's place, given back when this is dropped.
pub(super) struct Seat {
    guests: Arc<Guests>,
    guest: Arc<Guest>,
    number: u64,
}

impl Guests {
    pub(super) fn new(total_max: usize, per_address_max: usize, apart: Vec<Network>) -> Guests {
        Guests {
            state: Mutex::default(),
            gone: Condvar::new(),
            closing: AtomicBool::new(false),
            began: Instant::now(),
            total_max: total_max.max(1),
            per_address_max: per_address_max.max(1),
            apart,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a connection. Where all are taken, whoever has been waiting longest without a
    /// whole head gives way; where nobody waits there is none.
    pub(super) fn admit(self: &Arc<Self>, stream: &Arc<Stream>, peer: SocketAddr) -> Option<Seat> {
        let address = self.counted(peer.ip());
        let mut state = self.lock();
        if let Some(address) = address
            && state.by_address.get(&address).copied().unwrap_or(0) >= self.per_address_max
            && !state.show_out_one(Some(address))
        {
            return None;
        }
        if state.all.len() >= self.total_max && !state.show_out_one(None) {
            return None;
        }
        let guest = Arc::new(Guest {
            stream: Arc::clone(stream),
            address,
            waits: AtomicU64::new(self.now()),
        });
        state.last += 1;
        let number = state.last;
        state.all.insert(number, Arc::clone(&guest));
        if let Some(address) = address {
            *state.by_address.entry(address).or_default() += 1;
        }
        Some(Seat {
            guests: Arc::clone(self),
            guest,
            number,
        })
    }

    /// Shows out whoever has been waiting longest, if anybody waits.
    pub(super) fn make_room(&self) {
        self.lock().show_out_one(None);
    }

    /// What an address counts under: an IPv6 customer has a whole /64.
    fn counted(&self, ip: IpAddr) -> Option<IpAddr> {
        if ip.is_loopback() || self.apart.iter().any(|network| network.holds(ip)) {
            return None;
        }
        Some(match ip {
            IpAddr::V4(_) => ip,
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis())
            .unwrap_or(u64::MAX - 2)
            .saturating_add(1)
    }

    /// Nobody is admitted from now on for long; who waits is shown out, who is served may finish.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let mut state = self.lock();
        while state.show_out_one(None) {}
        drop(state);
        self.gone.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Waits until everybody has gone, and leaves those who have not alone; whether all have.
    pub(super) fn are_gone_within(&self, wait: Duration) -> bool {
        self.wait(wait).all.is_empty()
    }

    fn wait(&self, wait: Duration) -> MutexGuard<'_, State> {
        let (state, _) = self
            .gone
            .wait_timeout_while(self.lock(), wait, |state| !state.all.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state
    }

    /// Waits until everybody has gone. False: somebody has not, and was cut off now; a moment more
    /// is waited so that they can leave things in order.
    pub(super) fn wait_until_empty(&self, wait: Duration) -> bool {
        let state = self.wait(wait);
        if state.all.is_empty() {
            return true;
        }
        for guest in state.all.values() {
            // Where it fails the connection has ended by itself.
            let _ = guest.stream.shutdown(Shutdown::Both);
        }
        let _still_here = self
            .gone
            .wait_timeout_while(state, CUT_OFF_REST, |state| !state.all.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        false
    }
}

impl State {
    /// Ends the connection of whoever has been waiting longest (of this address); whether there
    /// was anybody.
    fn show_out_one(&mut self, address: Option<IpAddr>) -> bool {
        loop {
            let longest = self
                .all
                .iter()
                .filter(|(_, guest)| address.is_none() || guest.address == address)
                .map(|(number, guest)| (guest.waits.load(Ordering::SeqCst), *number))
                .filter(|(since, _)| *since != SERVED && *since != SHOWN_OUT)
                .min();
            let Some((since, number)) = longest else {
                return false;
            };
            let Some(guest) = self.all.get(&number) else {
                return false;
            };
            // Whoever has got a whole head together in the meantime is served.
            if guest
                .waits
                .compare_exchange(since, SHOWN_OUT, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
            {
                let _ = guest.stream.shutdown(Shutdown::Both);
                self.remove(number);
                return true;
            }
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(guest) = self.all.remove(&number) else {
            return;
        };
        if let Some(address) = guest.address
            && let Some(count) = self.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Seat {
    /// Waits for a head from now on. False: it must not, the door is closing.
    pub(super) fn waits(&self) -> bool {
        self.guest.waits.store(self.guests.now(), Ordering::SeqCst);
        !self.guests.is_closing()
    }

    /// A whole head is here. False: the connection has been ended meanwhile.
    pub(super) fn is_served(&self) -> bool {
        self.guest.waits.swap(SERVED, Ordering::SeqCst) != SHOWN_OUT
    }

    pub(super) fn door_is_closing(&self) -> bool {
        self.guests.is_closing()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.guests.lock();
        state.remove(self.number);
        let empty = state.all.is_empty();
        drop(state);
        if empty {
            self.guests.gone.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    /// A door for guests from addresses that a test can't have.
    struct House(Arc<Guests>);

    impl House {
        fn new(total_max: usize, per_address_max: usize) -> House {
            let proxy = "198.51.100.9".parse().unwrap();
            House(Arc::new(Guests::new(
                total_max,
                per_address_max,
                vec![proxy],
            )))
        }

        fn admit(&self, from: &str) -> Option<(Seat, UnixStream)> {
            let (ours, theirs) = UnixStream::pair().unwrap();
            theirs.set_nonblocking(true).unwrap();
            let peer = SocketAddr::new(from.parse().unwrap(), 5_000);
            let seat = self.0.admit(&Arc::new(Stream::Unix(ours)), peer)?;
            // The next one comes later, as the clock sees it.
            std::thread::sleep(Duration::from_millis(2));
            Some((seat, theirs))
        }
    }

    fn is_shown_out(mut client: &UnixStream) -> bool {
        matches!(client.read(&mut [0; 1]), Ok(0))
    }

    #[test]
    fn an_address_has_its_share_and_makes_room_only_among_its_own() {
        let house = House::new(100, 2);
        let (_other, stranger) = house.admit("203.0.113.1").unwrap();
        let (_first, oldest) = house.admit("192.0.2.1").unwrap();
        let (second, younger) = house.admit("192.0.2.1").unwrap();
        let (third, third_client) = house.admit("192.0.2.1").unwrap();
        assert!(is_shown_out(&oldest));
        assert!(!is_shown_out(&stranger) && !is_shown_out(&younger));
        // Whoever is served stays, and where both are there is no room.
        assert!(second.is_served() && third.is_served());
        assert!(house.admit("192.0.2.1").is_none());
        assert!(!is_shown_out(&younger) && !is_shown_out(&third_client));
        drop(second);
        assert!(house.admit("192.0.2.1").is_some());
    }

    #[test]
    fn this_computer_and_proxies_have_no_share_and_a_network_has_one() {
        let house = House::new(100, 1);
        for apart in ["127.0.0.1", "::1", "198.51.100.9"] {
            let (one, two) = (house.admit(apart).unwrap(), house.admit(apart).unwrap());
            assert!(!is_shown_out(&one.1) && !is_shown_out(&two.1), "{apart}");
        }
        let one = house.admit("2001:db8:0:7::1").unwrap();
        let _neighbour = house.admit("2001:db8:0:7:ffff::2").unwrap();
        assert!(is_shown_out(&one.1));
        let other = house.admit("2001:db8:0:8::1").unwrap();
        assert!(!is_shown_out(&other.1));
    }

    #[test]
    fn whoever_was_shown_out_is_not_served_and_leaves_no_trace() {
        let house = House::new(1, 1);
        let (first, client) = house.admit("192.0.2.1").unwrap();
        let (second, _client) = house.admit("192.0.2.2").unwrap();
        assert!(is_shown_out(&client));
        assert!(!first.is_served());
        drop(first);
        assert_eq!(house.0.lock().all.len(), 1);
        drop(second);
        let state = house.0.lock();
        assert!(state.all.is_empty() && state.by_address.is_empty());
    }
}
