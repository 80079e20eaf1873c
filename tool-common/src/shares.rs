//! Shares: each user and each container may use only a part of a table of connections or sessions. So
//! no user and no container can push out the connections of another, or of the host's root.
//!
//! A share is a number: [`HOST`], or a number from [`FIRST`] on, for a container or a user. Two of them
//! have the same number one time in a thousand, and then use the same part together.

/// The share of the host's root: processes of user 0 in the first user and pid namespaces that have the
/// host's network or mount namespace. A kubelet, containerd and cri-dockerd are there, and the nsenter
/// and socat that they start.
pub const HOST: u32 = 0;

/// Not a share: where the sum of all shares except the host's is kept.
pub const OTHERS: u32 = 1;

/// The first number of a container or a user.
pub const FIRST: u32 = 2;

/// How many numbers there are.
pub const COUNT: u32 = 1024;

/// Limits of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Room for all shares, the host's among them.
    pub all: u32,
    /// Room for all shares except the host's. The rest is for the host alone.
    pub others: u32,
    /// Room for each of them.
    pub each: u32,
}

/// Followed connections into other network namespaces.
pub const FOREIGN: Limits = Limits { all: 12 * 1024, others: 6 * 1024, each: 2 * 1024 };

/// Followed connections of processes named nsenter or socat.
pub const HELPERS: Limits = Limits { all: 4 * 1024, others: 2 * 1024, each: 512 };

/// Open sessions: as many as connections.
pub const SESSIONS: Limits = Limits {
    all: FOREIGN.all + HELPERS.all,
    others: FOREIGN.others + HELPERS.others,
    each: FOREIGN.each + HELPERS.each,
};

/// The share of a container, by the inode of its pid namespace.
#[must_use]
#[inline(always)]
pub const fn of_container(pidns: u32) -> u32 {
    number(1 << 32 | pidns as u64)
}

/// The share of a user.
#[must_use]
#[inline(always)]
pub const fn of_user(uid: u32) -> u32 {
    number(uid as u64)
}

/// Spreads the keys over the numbers (multiplicative hashing, by 2^64 divided by the golden ratio).
#[inline(always)]
const fn number(key: u64) -> u32 {
    // The upper bits are the well-mixed ones, so they are scaled, and no remainder is taken.
    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    FIRST + ((hash * (COUNT - FIRST) as u64) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_and_no_container_has_the_share_of_the_host() {
        for key in (0..100_000).chain([u32::MAX, 0xefff_fffc]) {
            for share in [of_user(key), of_container(key)] {
                assert!((FIRST..COUNT).contains(&share), "{key}: {share}");
            }
        }
    }

    #[test]
    fn neighbours_have_shares_of_their_own() {
        for first in [0, 1000, 65_534, 100_000, 4_026_532_178] {
            let shares =
                (first..first + 20).map(of_user).chain((first..first + 20).map(of_container));
            let mut shares: [u32; 40] = {
                let mut all = [0; 40];
                all.iter_mut().zip(shares).for_each(|(to, from)| *to = from);
                all
            };
            shares.sort_unstable();
            let same = shares.windows(2).filter(|pair| pair[0] == pair[1]).count();
            assert!(same <= 3, "{first}: {same} of 40");
        }
    }
}
