//! The native dialer: a socket that is made inside the target's network namespace and used from
//! outside. It needs neither nsenter nor socat. containerd and CRI-O dial in a similar way.

use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::connect::{Connected, connect};
use super::dialer::{Connection, Dialer, Dialing};
use crate::forward::failure::{Failure, no_answer};
use crate::model::{Attempt, Via};
use crate::target::Target;

/// How long an address may take to answer before the next one is tried beside it: the Connection
/// Attempt Delay of RFC 8305, section 5.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Dials natively.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native {
    connect_timeout: Option<Duration>,
}

impl Native {
    /// Without a timeout, connecting takes as long as the kernel sends the SYN again: a server with
    /// a full accept queue may accept late.
    #[must_use]
    pub fn new(connect_timeout: Option<Duration>) -> Self {
        Self { connect_timeout }
    }
}

impl Dialer for Native {
    fn via(&self, _target: &Target) -> Via {
        self.usual_via()
    }

    fn usual_via(&self) -> Via {
        Via::Native
    }

    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a> {
        Box::pin(async move {
            target.check().map_err(Failure::TargetGone)?;
            let Connected { duplex, address, cookie } =
                dial(target, port, self.connect_timeout).await?;
            Ok(Connection { duplex, address: Some(address), cookie, helper: None })
        })
    }
}

/// The address that is tried first, as kubectl does.
const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The addresses to try, in order: IPv4 localhost, IPv6 localhost, then the target's own.
struct Addresses<'a> {
    target: &'a Target,
    /// How many were taken.
    taken: usize,
    /// Looked up once localhost has not answered.
    own: Option<Vec<IpAddr>>,
}

impl Addresses<'_> {
    async fn next(&mut self) -> Option<IpAddr> {
        let number = self.taken;
        self.taken += 1;
        match number {
            0 => Some(FIRST),
            1 => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            _ => {
                if self.own.is_none() {
                    self.own = Some(self.target.own_addresses().await);
                }
                self.own.as_ref()?.get(number - 2).copied()
            }
        }
    }
}

/// Tries the addresses until one answers. The next address is tried as soon as one has failed, or
/// when there is no answer for a while. Those before it are still waited for (RFC 8305). If none
/// answers, the first address's error counts: kubectl would have dialed that one.
async fn dial(target: &Target, port: u16, limit: Option<Duration>) -> Result<Connected, Failure> {
    let time_is_up = async {
        match limit {
            Some(limit) => {
                sleep(limit).await;
                no_answer(limit)
            }
            None => pending().await,
        }
    };
    tokio::pin!(time_is_up);
    let netns = target.netns();
    let mut addresses = Addresses { target, taken: 0, own: None };
    // Dropping it ends the attempts that are left.
    let mut attempts: JoinSet<(Option<Instant>, io::Result<Connected>)> = JoinSet::new();
    let mut first_failure = None;
    let mut next_at = Some(Instant::now());
    loop {
        let is_due = async {
            match next_at {
                // A timer takes a millisecond even if its time has come.
                Some(time) if time <= Instant::now() => {}
                Some(time) => sleep_until(time).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(ended) = attempts.join_next() => {
                match ended {
                    Ok((_, Ok(connected))) => return Ok(connected),
                    Ok((None, Err(_))) => {}
                    Ok((Some(begin), Err(source))) => {
                        first_failure = Some(of_first(port, begin.elapsed(), source));
                    }
                    Err(panicked) => return Err(given_up(port, io::Error::other(panicked))),
                }
                next_at = next_at.map(|_| Instant::now());
            }
            () = is_due => {
                let begin = (addresses.taken == 0).then(Instant::now);
                next_at = match addresses.next().await {
                    Some(address) => {
                        let socket = netns.tcp_socket(address.is_ipv6()).await;
                        let address = SocketAddr::new(address, port);
                        attempts.spawn(async move {
                            let connecting = async { connect(socket?, address).await };
                            (begin, connecting.await)
                        });
                        Some(Instant::now() + ATTEMPT_DELAY)
                    }
                    None => None,
                };
            }
            error = &mut time_is_up => return Err(first_failure.unwrap_or_else(|| given_up(port, error))),
        }
        if next_at.is_none() && attempts.is_empty() {
            let none = || given_up(port, io::ErrorKind::AddrNotAvailable.into());
            return Err(first_failure.unwrap_or_else(none));
        }
    }
}

/// The attempt at the first address has failed.
fn of_first(port: u16, after: Duration, source: io::Error) -> Failure {
    let first = source.raw_os_error().map(|errno| Attempt {
        error: Some(errno),
        after_ns: u64::try_from(after.as_nanos()).unwrap_or(u64::MAX),
        to: FIRST,
    });
    Failure::NotConnected { port, first, source }
}

/// No answer of the first address has come.
fn given_up(port: u16, source: io::Error) -> Failure {
    Failure::NotConnected { port, first: None, source }
}
