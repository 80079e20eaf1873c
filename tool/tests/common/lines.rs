//! The lines of a stream, collected as they come.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex};

pub struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Lines {
    pub fn collect(stream: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                sink.lock().unwrap().push(crate::common::text(&line.unwrap()));
            }
        });
        Self { lines, reader: Some(reader) }
    }

    /// The lines so far.
    pub fn so_far(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Every line. Waits for the end of the stream.
    pub fn all(&mut self) -> Vec<String> {
        self.reader.take().unwrap().join().unwrap();
        self.so_far()
    }
}
