//! A connection of kubectl, with TLS or without, for one thread that reads and one that writes.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::run::stdout_of;

/// A little more than the longest record (RFC 8446, 5.2).
const RECORD: usize = 17 * 1024;

/// Makes a certificate at this path, and what a server with it needs.
pub(super) fn config(certificate: &Path) -> Result<Arc<ServerConfig>> {
    let key = certificate.with_extension("key");
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt"]);
    openssl.args(["ec_paramgen_curve:prime256v1", "-subj", "/CN=stub", "-days", "2"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    stdout_of(openssl.arg("-keyout").arg(&key).arg("-out").arg(certificate))?;
    let chain = vec![CertificateDer::from_pem_file(certificate).context("certificate")?];
    let key = PrivateKeyDer::from_pem_file(&key).context("key")?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// A connection of kubectl.
pub(super) struct Stream {
    socket: TcpStream,
    tls: Option<Tls>,
}

/// Neither lock is held while the socket is read. The connection's is not held while it is written.
struct Tls {
    connection: Mutex<ServerConnection>,
    /// What was read from the socket and not yet decrypted.
    unread: Mutex<Vec<u8>>,
    /// Keeps records in order.
    writing: Mutex<()>,
}

impl Stream {
    pub(super) fn accept(socket: TcpStream, config: Option<Arc<ServerConfig>>) -> Result<Self> {
        let Some(config) = config else { return Ok(Self { socket, tls: None }) };
        let mut connection = ServerConnection::new(config)?;
        connection.set_buffer_limit(None);
        let connection = Mutex::new(connection);
        let tls = Tls { connection, unread: Mutex::default(), writing: Mutex::default() };
        Ok(Self { socket, tls: Some(tls) })
    }

    /// Waits for bytes; 0 is the end.
    pub(super) fn read(&self, to: &mut [u8]) -> io::Result<usize> {
        match &self.tls {
            Some(tls) => tls.read(&self.socket, to),
            None => (&self.socket).read(to),
        }
    }

    pub(super) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        match &self.tls {
            Some(tls) => tls.write(&self.socket, |connection| connection.writer().write_all(bytes)),
            None => (&self.socket).write_all(bytes),
        }
    }

    /// Ends what is written.
    pub(super) fn close(&self) -> io::Result<()> {
        if let Some(tls) = &self.tls {
            tls.write(&self.socket, |connection| {
                connection.send_close_notify();
                Ok(())
            })?;
        }
        self.socket.shutdown(Shutdown::Write)
    }
}

impl Tls {
    fn read(&self, mut socket: &TcpStream, to: &mut [u8]) -> io::Result<usize> {
        let mut unread = lock(&self.unread);
        loop {
            if let Some(len) = self.decrypt(socket, &mut unread, to)? {
                return Ok(len);
            }
            let start = unread.len();
            unread.resize(start + RECORD, 0);
            let len = socket.read(&mut unread[start..])?;
            unread.truncate(start + len);
            if len == 0 {
                return Ok(0);
            }
        }
    }

    /// What is there of plaintext; `None` if more must be read first.
    fn decrypt(
        &self,
        socket: &TcpStream,
        unread: &mut Vec<u8>,
        to: &mut [u8],
    ) -> io::Result<Option<usize>> {
        loop {
            let mut connection = lock(&self.connection);
            match connection.reader().read(to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other.map(Some),
            }
            if unread.is_empty() {
                return Ok(None);
            }
            let mut from = unread.as_slice();
            connection.read_tls(&mut from)?;
            let taken = unread.len() - from.len();
            unread.drain(..taken);
            connection.process_new_packets().map_err(io::Error::other)?;
            let has_answer = connection.wants_write();
            drop(connection);
            if has_answer {
                self.write(socket, |_| Ok(()))?;
            }
        }
    }

    /// Changes the connection, and sends what it then has to send.
    fn write(
        &self,
        mut socket: &TcpStream,
        change: impl FnOnce(&mut ServerConnection) -> io::Result<()>,
    ) -> io::Result<()> {
        let _in_order = lock(&self.writing);
        let mut records = Vec::new();
        {
            let mut connection = lock(&self.connection);
            change(&mut connection)?;
            while connection.wants_write() {
                connection.write_tls(&mut records)?;
            }
        }
        socket.write_all(&records)
    }
}

/// A thread that panicked has ended the connection anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
