//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of all connections.
#[derive(Debug, Clone)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    per_address: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Seats {
    /// So many in all, and of one address; 0 of one address is no limit.
    pub(super) fn new(all: usize, per_address: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), per_address, taken: Arc::default() }
    }

    /// Waits for a place.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes the semaphore; without a permit nothing would be counted, so nothing is served.
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// Gives the place to an address, unless it has too many.
    pub(super) fn take(&self, free: Option<OwnedSemaphorePermit>, address: IpAddr) -> Option<Seat> {
        let free = free?;
        let address = counted(address);
        let mut taken = lock(&self.taken);
        let count = taken.entry(address).or_default();
        if self.per_address > 0 && *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Seat { address, taken: Arc::clone(&self.taken), _free: free })
    }
}

/// A place; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Seat {
    address: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _free: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = lock(&self.taken).entry(self.address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

fn lock(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    // A count is changed in one step: a poisoned lock holds a good one.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted as one address: of IPv6 the /64, which is the least that one caller is given.
fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn an_address_gets_a_place_again_when_one_of_its_own_is_free() {
        let seats = Seats::new(10, 2);
        let take = async |address: &str| {
            let free = seats.free().await;
            seats.take(free, address.parse().unwrap())
        };
        let first = take("192.0.2.1").await.unwrap();
        let _second = take("192.0.2.1").await.unwrap();
        assert!(take("192.0.2.1").await.is_none());
        assert!(take("::ffff:192.0.2.1").await.is_none());
        assert!(take("192.0.2.2").await.is_some());
        drop(first);
        assert!(take("192.0.2.1").await.is_some());
    }

    #[test]
    fn a_caller_with_a_whole_network_of_ipv6_is_one_caller() {
        let [one, two, other] =
            ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert_eq!(counted(one), counted(two));
        assert_ne!(counted(one), counted(other));
    }
}
