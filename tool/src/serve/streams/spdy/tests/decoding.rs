//! The decoder alone.

use super::super::decoder::Decoder;
use super::super::error::SpdyError;
use super::super::event::Event;
use super::super::{encode, frame};

/// What an event says, with the pieces of data joined.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Data(u32, Vec<u8>, bool),
    Other(String),
}

/// All events of the input, fed in pieces.
fn decode(input: &[u8], cuts: &[usize]) -> (Vec<Told>, Option<SpdyError>) {
    let mut decoder = Decoder::new();
    let mut told: Vec<Told> = Vec::new();
    let mut held = Vec::new();
    let mut input = input;
    for cut in cuts.iter().copied().chain([usize::MAX]) {
        let (piece, rest) = input.split_at(cut.min(input.len()));
        input = rest;
        held.extend(piece);
        loop {
            match decoder.decode(&held) {
                Err(error) => return (told, Some(error)),
                Ok((length, event)) => {
                    let is_all = event.is_none();
                    tell(&mut told, event);
                    held.drain(..length);
                    if is_all {
                        break;
                    }
                }
            }
        }
        assert!(held.len() <= 16 * 1024 + 10, "{} bytes are held", held.len());
    }
    (told, None)
}

fn tell(told: &mut Vec<Told>, event: Option<Event<'_>>) {
    match event {
        None => {}
        Some(Event::Data { stream, bytes, is_last }) => match told.last_mut() {
            Some(Told::Data(same, all, last)) if *same == stream && !*last => {
                all.extend(bytes);
                *last = is_last;
            }
            _ => told.push(Told::Data(stream, bytes.to_vec(), is_last)),
        },
        Some(other) => told.push(Told::Other(format!("{other:?}"))),
    }
}

fn frames(list: &[(u8, u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, number, bytes) in list {
        match kind % 5 {
            0 => encode::ping(&mut out, *number),
            1 => encode::reset(&mut out, *number, frame::Status::Cancel),
            2 => encode::go_away(&mut out, *number, false),
            is_last => {
                out.extend(encode::data_head(number >> 1, bytes.len(), is_last == 3));
                out.extend(bytes);
            }
        }
    }
    out
}

proptest::proptest! {
    #[test]
    fn any_bytes_decode_or_not(input: Vec<u8>, cuts: Vec<u8>) {
        let cuts: Vec<usize> = cuts.into_iter().map(usize::from).collect();
        decode(&input, &cuts);
    }

    #[test]
    fn any_control_frames_decode_or_not(kinds: Vec<(u8, Vec<u8>)>) {
        let mut input = Vec::new();
        for (kind, payload) in kinds {
            let length = u32::try_from(payload.len()).unwrap();
            let head = frame::Head::Control { kind: u16::from(kind % 10), flags: kind >> 4, length };
            input.extend(head.encode());
            input.extend(payload);
        }
        decode(&input, &[]);
    }

    #[test]
    fn pieces_make_no_difference(list: Vec<(u8, u32, Vec<u8>)>, cuts: Vec<u8>) {
        let input = frames(&list);
        let cuts: Vec<usize> = cuts.into_iter().map(usize::from).collect();
        let (whole, error) = decode(&input, &[]);
        proptest::prop_assert_eq!(error, None);
        proptest::prop_assert_eq!(whole, decode(&input, &cuts).0);
    }
}

#[test]
fn a_data_frame_passes_as_it_comes() {
    let mut decoder = Decoder::new();
    let head = encode::data_head(3, (16 << 20) - 1, true);
    assert_eq!(decoder.decode(&head), Ok((8, None)));
    let event = Event::Data { stream: 3, bytes: b"first", is_last: false };
    assert_eq!(decoder.decode(b"first"), Ok((5, Some(event))));
}

#[test]
fn lengths_fit_their_types() {
    for (kind, length) in [(1, 9), (2, 3), (3, 4), (6, 5), (7, 4), (8, 0)] {
        let head = frame::Head::Control { kind, flags: 0, length }.encode();
        assert_eq!(Decoder::new().decode(&head), Err(SpdyError::Length { kind, length }));
    }
}
