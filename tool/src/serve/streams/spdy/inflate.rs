//! Inflates header blocks: all of a connection are one zlib stream.

use flate2::{Decompress, FlushDecompress, Status};

use super::dictionary::DICTIONARY;
use super::error::SpdyError;
use super::limits::MAX_INFLATED;

/// Where the buffer begins, bytes.
const FIRST_ROOM: usize = 512;

/// The zlib stream of one direction. Every header block must go through it, in order.
#[derive(Debug)]
pub(super) struct Inflater {
    zlib: Decompress,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { zlib: Decompress::new(true) }
    }

    /// Inflates one block. After an error, the stream cannot be used any more.
    pub(super) fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, SpdyError> {
        let mut inflated = Vec::with_capacity(FIRST_ROOM);
        let begin = self.zlib.total_in();
        loop {
            let done = usize::try_from(self.zlib.total_in() - begin).unwrap_or(usize::MAX);
            let rest = block.get(done..).unwrap_or_default();
            let result = self.zlib.decompress_vec(rest, &mut inflated, FlushDecompress::Sync);
            match result {
                Ok(Status::StreamEnd) => return Err(SpdyError::Zlib),
                Ok(_) if inflated.len() > MAX_INFLATED => return Err(SpdyError::Inflated),
                Ok(_) if inflated.len() < inflated.capacity() => {
                    return self.all(block, begin, inflated);
                }
                Ok(_) => inflated.reserve(inflated.capacity()),
                Err(error) if error.needs_dictionary().is_some() => {
                    self.zlib.set_dictionary(&DICTIONARY).map_err(|_| SpdyError::Zlib)?;
                }
                Err(_) => return Err(SpdyError::Zlib),
            }
        }
    }

    /// What was inflated, if the whole block was read.
    fn all(&self, block: &[u8], begin: u64, inflated: Vec<u8>) -> Result<Vec<u8>, SpdyError> {
        let read = self.zlib.total_in() - begin;
        if u64::try_from(block.len()) == Ok(read) { Ok(inflated) } else { Err(SpdyError::Zlib) }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    /// A zlib stream as clients make it: with the dictionary, flushed after each block.
    fn deflated(blocks: &[Vec<u8>], dictionary: &[u8]) -> Vec<Vec<u8>> {
        let mut zlib = Compress::new(Compression::best(), true);
        zlib.set_dictionary(dictionary).unwrap();
        let deflate = |block: &Vec<u8>| {
            let mut out = Vec::with_capacity(block.len() + 1024);
            zlib.compress_vec(block, &mut out, FlushCompress::Sync).unwrap();
            out
        };
        blocks.iter().map(deflate).collect()
    }

    #[test]
    fn blocks_are_one_stream() {
        let blocks = [b"streamtype".to_vec(), b"streamtype".to_vec(), vec![7; MAX_INFLATED]];
        let mut inflater = Inflater::new();
        for (block, deflated) in blocks.iter().zip(deflated(&blocks, &DICTIONARY)) {
            assert_eq!(&inflater.inflate(&deflated).unwrap(), block);
        }
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = deflated(&[vec![0; 16 << 20]], &DICTIONARY);
        assert!(bomb[0].len() < 20_000, "{}", bomb[0].len());
        assert_eq!(Inflater::new().inflate(&bomb[0]), Err(SpdyError::Inflated));
    }

    #[test]
    fn other_streams_are_refused() {
        let other = deflated(&[b"streamtype".to_vec()], b"another dictionary");
        assert_eq!(Inflater::new().inflate(&other[0]), Err(SpdyError::Zlib));
        assert_eq!(Inflater::new().inflate(b"no zlib at all"), Err(SpdyError::Zlib));
        let mut ended = Compress::new(Compression::best(), true);
        ended.set_dictionary(&DICTIONARY).unwrap();
        let mut out = Vec::with_capacity(1024);
        ended.compress_vec(b"streamtype", &mut out, FlushCompress::Finish).unwrap();
        assert_eq!(Inflater::new().inflate(&out), Err(SpdyError::Zlib));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_inflate_or_not(blocks: Vec<Vec<u8>>) {
            let mut inflater = Inflater::new();
            for block in blocks {
                match inflater.inflate(&block) {
                    Ok(inflated) => proptest::prop_assert!(inflated.len() <= MAX_INFLATED),
                    Err(_) => break,
                }
            }
        }
    }
}
