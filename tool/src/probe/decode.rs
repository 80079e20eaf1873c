//! Decodes a ring-buffer record to an [`Event`]. Any bytes give an event or an error.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use pfsnoop_common::record::{
    ExecHeader, ExitRecord, Kind, SockRecord, UNKNOWN_UID, UNREADABLE, exec_flags, sock_flags,
    sock_states,
};

use crate::model::{
    Arg, ArgList, Args, Bytes, End, Ending, Event, ExecEvent, ExitEvent, OwnReset, SockEvent,
    SockState, invocation,
};

/// Why a record cannot be decoded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than its kind or its lengths say.
    #[error("cut off")]
    Cut,
    /// From a newer kernel program, or not a record.
    #[error("unknown kind {0}")]
    UnknownKind(u32),
    /// A connection with an unknown state or address family.
    #[error("unknown state or family of a connection")]
    UnknownSock,
    /// A list of arguments with wrong lengths.
    #[error("malformed arguments")]
    MalformedArgs,
}

/// Decodes one record.
pub fn decode(record: &[u8]) -> Result<Event, DecodeError> {
    let kind = record.first_chunk().copied().map(u32::from_ne_bytes).ok_or(DecodeError::Cut)?;
    match Kind::from_raw(kind).ok_or(DecodeError::UnknownKind(kind))? {
        Kind::Exec => successful_exec(record).map(Event::Exec),
        Kind::FailedExec => failed_exec(record).map(Event::Exec),
        Kind::Exit => exit(record).map(Event::Exit),
        Kind::Sock => sock(record).map(Event::Sock),
    }
}

fn successful_exec(record: &[u8]) -> Result<ExecEvent, DecodeError> {
    let (header, texts) = exec_header(record)?;
    let (cgroup, texts) = split(texts, header.cgroup_len)?;
    let (args, texts) = split(texts, header.args_len)?;
    let (filename, _) = split(texts, header.filename_len)?;
    Ok(exec(&header, filename, cgroup, ArgList::terminated(args), header.args_total))
}

fn failed_exec(record: &[u8]) -> Result<ExecEvent, DecodeError> {
    let (header, texts) = exec_header(record)?;
    let (args, texts) = split(texts, header.args_len)?;
    let (filename, texts) = split(texts, header.filename_len)?;
    let (cgroup, _) = split(texts, header.cgroup_len)?;
    let early = args.len().checked_sub(header.late_len as usize).ok_or(DecodeError::Cut)?;
    let (early, late) = args.split_at_checked(early).ok_or(DecodeError::Cut)?;
    let (early, late) = (listed_args(early)?, listed_args(late)?);
    let mut late = late.iter();
    let list: ArgList = early
        .iter()
        .map(|arg| if arg == Arg::Unreadable { late.next().unwrap_or(arg) } else { arg })
        .collect();
    // The kernel programs count no arguments beyond those in the record.
    let bytes = list.bytes() as u64;
    Ok(exec(&header, filename, cgroup, list, bytes))
}

fn exec_header(record: &[u8]) -> Result<(ExecHeader, &[u8]), DecodeError> {
    let (header, texts) =
        record.split_at_checked(size_of::<ExecHeader>()).ok_or(DecodeError::Cut)?;
    Ok((bytemuck::pod_read_unaligned(header), texts))
}

fn split(bytes: &[u8], len: u32) -> Result<(&[u8], &[u8]), DecodeError> {
    bytes.split_at_checked(len as usize).ok_or(DecodeError::Cut)
}

fn exec(
    header: &ExecHeader,
    filename: &[u8],
    cgroup: &[u8],
    list: ArgList,
    bytes: u64,
) -> ExecEvent {
    let has = |flag| header.flags & flag != 0;
    let args = Args {
        bytes,
        list,
        unreadable: has(exec_flags::ARGS_UNREADABLE),
        cut: has(exec_flags::ARGS_CUT | exec_flags::ARG_CUT),
    };
    ExecEvent {
        time_ns: header.time_ns,
        start_ns: header.start_ns,
        pid: header.pid,
        tid: header.tid,
        ppid: header.ppid,
        uid: header.uid,
        gid: header.gid,
        ret: header.ret,
        comm: until_nul(&header.comm).into(),
        parent_comm: until_nul(&header.parent_comm).into(),
        parent_uid: known_uid(header.parent_uid),
        filename: (!has(exec_flags::FILENAME_UNREADABLE)).then(|| filename.into()),
        invocation: invocation(&args),
        args,
        netns: present(header.netns),
        mntns: present(header.mntns),
        pidns: present(header.pidns),
        share: header.share,
        cgroup_id: header.cgroup_id,
        cgroup: cgroup.into(),
    }
}

fn exit(record: &[u8]) -> Result<ExitEvent, DecodeError> {
    let record = record.get(..size_of::<ExitRecord>()).ok_or(DecodeError::Cut)?;
    let exit: ExitRecord = bytemuck::pod_read_unaligned(record);
    Ok(ExitEvent {
        time_ns: exit.time_ns,
        start_ns: exit.start_ns,
        pid: exit.pid,
        ppid: exit.ppid,
        uid: exit.uid,
        comm: until_nul(&exit.comm).into(),
        netns: present(exit.netns),
        end: End::from_wait_status(exit.wait_status),
    })
}

fn sock(record: &[u8]) -> Result<SockEvent, DecodeError> {
    let record = record.get(..size_of::<SockRecord>()).ok_or(DecodeError::Cut)?;
    let sock: SockRecord = bytemuck::pod_read_unaligned(record);
    let has = |flag| sock.flags & flag != 0;
    let state = match sock.state {
        sock_states::CONNECTING => SockState::Connecting,
        sock_states::CONNECTED => SockState::Connected,
        sock_states::OPEN => SockState::Open,
        sock_states::RELEASED => SockState::Released(ending(&sock)),
        sock_states::CLOSED => SockState::Closed(ending(&sock)),
        sock_states::SERVER_CLOSED => SockState::ServerClosed { is_reset: sock.error != 0 },
        sock_states::GONE => SockState::Gone,
        _ => return Err(DecodeError::UnknownSock),
    };
    let address = |bytes| address(sock.family, bytes).ok_or(DecodeError::UnknownSock);
    let bytes = Bytes { sent: sock.sent, received: sock.received };
    Ok(SockEvent {
        time_ns: sock.time_ns,
        id: sock.id,
        cookie: (sock.cookie != 0).then_some(sock.cookie),
        state,
        pid: sock.pid,
        tid: sock.tid,
        start_ns: sock.start_ns,
        comm: until_nul(&sock.comm).into(),
        uid: known_uid(sock.uid),
        share: sock.share,
        netns: present(sock.netns),
        is_foreign: has(sock_flags::FOREIGN),
        source: address(sock.source)?,
        destination: SocketAddr::new(address(sock.destination)?, sock.port),
        is_answered: has(sock_flags::ANSWERED),
        bytes: has(sock_flags::COUNTED).then_some(bytes),
    })
}

fn ending(sock: &SockRecord) -> Ending {
    let has = |flag| sock.flags & flag != 0;
    let has_unread_data = has(sock_flags::ABORTED) || has(sock_flags::DATA_AFTER_RELEASE);
    let on_purpose = has(sock_flags::LINGER).then_some(OwnReset::OnPurpose);
    Ending {
        error: (sock.error != 0).then_some(sock.error.cast_signed()),
        is_ended_there: has(sock_flags::FIN_RECEIVED),
        is_ended_here: has(sock_flags::FIN_SENT),
        is_released: has(sock_flags::RELEASED) || sock.state == sock_states::RELEASED,
        reset: on_purpose.or(has_unread_data.then_some(OwnReset::UnreadData)),
        unsent: sock.unsent,
        is_loopback_down: has(sock_flags::LOOPBACK_DOWN),
        server_end: has(sock_flags::SERVER_ENDED)
            .then(|| End::from_wait_status(sock.server_status)),
    }
}

/// The address. An IPv4 address that an IPv6 socket uses becomes an IPv4 address.
fn address(family: u16, bytes: [u8; 16]) -> Option<IpAddr> {
    match i32::from(family) {
        libc::AF_INET => bytes.first_chunk::<4>().map(|&bytes| IpAddr::from(bytes)),
        libc::AF_INET6 => Some(Ipv6Addr::from(bytes).to_canonical()),
        _ => None,
    }
}

/// Arguments of a failed exec: each a length and its bytes.
fn listed_args(mut bytes: &[u8]) -> Result<ArgList, DecodeError> {
    let list = std::iter::from_fn(|| {
        let (len, rest) = bytes.split_first_chunk()?;
        let len = u32::from_ne_bytes(*len);
        if len == UNREADABLE {
            bytes = rest;
            return Some(Arg::Unreadable);
        }
        // Where a length is wrong, `bytes` stays as it is: not empty.
        let (arg, rest) = rest.split_at_checked(len as usize)?;
        bytes = rest;
        Some(Arg::Text(arg))
    });
    let list = list.collect();
    if bytes.is_empty() { Ok(list) } else { Err(DecodeError::MalformedArgs) }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn known_uid(uid: u32) -> Option<u32> {
    (uid != UNKNOWN_UID).then_some(uid)
}

/// The kernel programs write 0 for a value that this kernel does not report.
fn present(inode: u32) -> Option<u32> {
    (inode != 0).then_some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable as _;

    fn record(kind: u32, args: &[u8], filename: &[u8]) -> Vec<u8> {
        let mut header = ExecHeader::zeroed();
        header.kind = kind;
        header.args_len = u32::try_from(args.len()).unwrap();
        header.filename_len = u32::try_from(filename.len()).unwrap();
        header.comm[..7].copy_from_slice(b"nsenter");
        [bytemuck::bytes_of(&header), args, filename].concat()
    }

    fn args(kind: u32, args: &[u8]) -> ArgList {
        let Ok(Event::Exec(exec)) = decode(&record(kind, args, b"/bin/x")) else {
            panic!("an exec")
        };
        assert_eq!(&*exec.comm, b"nsenter");
        assert_eq!(exec.filename.as_deref(), Some(&b"/bin/x"[..]));
        exec.args.list
    }

    #[test]
    fn splits_at_nuls_and_keeps_empty_arguments() {
        let list = args(1, b"a\0\0b\0cut");
        assert_eq!(list, ArgList::terminated(b"a\0\0b\0cut"));
    }

    #[test]
    fn unreadable_arguments_differ_from_empty_ones() {
        let list =
            [&0_u32.to_ne_bytes()[..], &UNREADABLE.to_ne_bytes(), &1_u32.to_ne_bytes(), b"x"];
        let list = args(2, &list.concat());
        let args: Vec<_> = list.iter().collect();
        assert_eq!(args, [Arg::Text(b""), Arg::Unreadable, Arg::Text(b"x")]);
    }

    #[test]
    fn an_argument_that_was_read_late_replaces_an_unreadable_one() {
        let list = [&UNREADABLE.to_ne_bytes()[..], &0_u32.to_ne_bytes(), &UNREADABLE.to_ne_bytes()];
        let late = [&1_u32.to_ne_bytes()[..], b"x"].concat();
        let mut record = record(2, &[&list.concat()[..], &late].concat(), b"/bin/x");
        let mut decoded = |len: usize| {
            let mut header: ExecHeader =
                bytemuck::pod_read_unaligned(&record[..size_of::<ExecHeader>()]);
            header.late_len = u32::try_from(len).unwrap();
            record[..size_of::<ExecHeader>()].copy_from_slice(bytemuck::bytes_of(&header));
            decode(&record)
        };
        let Ok(Event::Exec(exec)) = decoded(late.len()) else { panic!("an exec") };
        let list: Vec<_> = exec.args.list.iter().collect();
        assert_eq!(list, [Arg::Text(b"x"), Arg::Text(b""), Arg::Unreadable]);
        assert_eq!(decoded(1000), Err(DecodeError::Cut));
    }

    #[test]
    fn rejects_records_with_wrong_lengths() {
        assert_eq!(decode(b""), Err(DecodeError::Cut));
        assert_eq!(decode(&99_u32.to_ne_bytes()), Err(DecodeError::UnknownKind(99)));
        let whole = record(1, b"a\0", b"/a");
        for len in 4..whole.len() {
            assert_eq!(decode(&whole[..len]), Err(DecodeError::Cut), "{len} bytes");
        }
        assert_eq!(decode(&record(2, &[9, 0, 0, 0], b"")), Err(DecodeError::MalformedArgs));
        assert_eq!(decode(&record(2, &[9], b"")), Err(DecodeError::MalformedArgs));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_event_or_an_error(kind in 0_u32..6, rest: Vec<u8>, lens in proptest::array::uniform2(0_u32..64)) {
            let _ = decode(&rest);
            let _ = decode(&[&kind.to_ne_bytes()[..], &rest].concat());
            // A whole header with lengths that are right or a little off.
            let mut header = ExecHeader::zeroed();
            (header.kind, header.args_len, header.filename_len) = (kind, lens[0], lens[1]);
            let record = [bytemuck::bytes_of(&header), &rest].concat();
            if let Ok(Event::Exec(exec)) = decode(&record) {
                let texts: usize = exec.args.list.iter().filter_map(Arg::text).map(<[u8]>::len).sum();
                let filename = exec.filename.map_or(0, |name| name.len());
                proptest::prop_assert!(texts + filename <= rest.len());
            }
        }
    }
}
